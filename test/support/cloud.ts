import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BootOptions, bootCloud, type Cloud } from '../../local/boot.ts';
import { LOCAL_CLOUD } from '../../scripts/local-cloud.ts';
import { ADVERSE_SEED } from './adverse.ts';

type TestOptions = Partial<Omit<BootOptions, 'adverse'>> & { adverse?: false };

/** What runs functions and workers, when it is not to be the Node of the tests: `npm test -- --node24` sets it. */
const NODE = process.env.DROPREEL_NODE;

/**
 * A local cloud of the synthesized app in a temporary directory, gone with `await using`. `npm test` has synthesized it. It is
 * adverse; a test that asserts what that makes untrue on purpose gives `adverse: false` (docs/faults.md lists them).
 */
export async function testCloud({
  adverse,
  ...options
}: TestOptions = {}): Promise<{ cloud: Cloud; log: string[] } & AsyncDisposable> {
  const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), 'dropreel-')));
  const log: string[] = [];
  const cloud = await bootCloud({
    ...LOCAL_CLOUD,
    assembly: 'cdk.out',
    log: (line) => log.push(line),
    ...(NODE && { nodePath: NODE }),
    ...(adverse !== false && { adverse: { seed: ADVERSE_SEED } }),
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

export { eventually } from '../../local/test/support/eventually.ts';
