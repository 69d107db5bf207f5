import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import type { Cloud } from '../../local/boot.ts';
import { announce, CLOUD_FILE } from '../../scripts/cloud-file.ts';

/** The command as it is published. */
export const BIN = resolve('dist/dropreel/dropreel.mjs');

/** A home directory of its own in which `npm run dev` has told of that cloud; gone with `await using`. */
export async function homeFor(cloud: Cloud): Promise<{ home: string } & AsyncDisposable> {
  const home = await mkdtemp(join(tmpdir(), 'dropreel-home-'));
  await announce(cloud, join(home, CLOUD_FILE));
  return { home, [Symbol.asyncDispose]: () => rm(home, { recursive: true, force: true }) };
}

/** The command as a script runs it: no terminal, nothing configured. */
export function dropreel<Encoding extends 'utf8' | 'buffer' = 'utf8'>(
  home: string,
  args: readonly string[],
  more: Record<string, string> = {},
  encoding: Encoding = 'utf8' as Encoding,
) {
  const { PATH = '' } = process.env;
  const env = { PATH, HOME: home, XDG_CONFIG_HOME: join(home, 'config'), XDG_STATE_HOME: join(home, 'state'), ...more };
  return execa('node', [BIN, ...args], { cwd: home, env, extendEnv: false, reject: false, stdin: 'ignore', encoding });
}
