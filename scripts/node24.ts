import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';

/** The Node of Lambda's runtime and of the worker's image, as its binary is published in the registry. */
const VERSION = '24';

/**
 * The path of that Node's program, which is downloaded on the first call.
 * @throws when the registry has none for this machine
 */
export async function node24(say: (line: string) => void): Promise<string> {
  const directory = resolve('node_modules/.cache/dropreel', `node${VERSION}`);
  const program = join(directory, 'package/bin/node');
  const { failed } = await execa(program, ['--version'], { reject: false });
  if (!failed) return program;
  const name = `node-${process.platform}-${process.arch}@${VERSION}`;
  say(`bringing ${name}`);
  await mkdir(directory, { recursive: true });
  const { stdout } = await execa('npm', ['pack', name, '--silent', '--pack-destination', directory]);
  const archive = stdout.trim().split('\n').at(-1) ?? '';
  await execa('tar', ['-xzf', join(directory, archive), '-C', directory]);
  await execa(program, ['--version']);
  return program;
}
