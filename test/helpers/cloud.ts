import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootCloud, type Cloud } from '../../local/boot.ts';

type BootOptions = Parameters<typeof bootCloud>[0];

/** What runs functions and workers, when it is not to be the Node of the tests: `npm test -- --node24` sets it. */
const NODE = process.env.DROPREEL_NODE;

/** A local cloud of the synthesized app in a temporary directory, gone with `await using`. `npm test` has synthesized it. */
export async function testCloud(
  options: Partial<BootOptions> = {},
): Promise<{ cloud: Cloud; log: string[] } & AsyncDisposable> {
  const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), 'dropreel-')));
  const log: string[] = [];
  const cloud = await bootCloud({
    assembly: 'cdk.out',
    log: (line) => log.push(line),
    ...(NODE && { nodePath: NODE }),
    ...options,
    stateDir,
  });
  return {
    cloud,
    log,
    [Symbol.asyncDispose]: async () => {
      await cloud.close();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}

/** Awaits a condition: polls every 50 ms until `check` gives a value. @throws with `what` after `timeoutMs`. */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`timed out after ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
