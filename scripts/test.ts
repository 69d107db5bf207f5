/**
 * `npm test`: builds and synthesizes what the tests boot, then runs them all. With `--node24` functions and workers run on the
 * Node that they have on AWS. Further arguments go to vitest.
 */
import { execa } from 'execa';
import { node24 } from './node24.ts';
import { synthesize } from './synth.ts';

const SUITES: Record<string, string[]> = {
  '--conformance': ['test/conformance'],
  '--faults': ['--config', 'vitest.faults.config.ts'],
};

const say = (line: string) => process.stderr.write(`${line}\n`);
const args = process.argv.slice(2);
const onNode24 = args.includes('--node24');
const [first, ...rest] = args.filter((arg) => arg !== '--node24');
const suite = first === undefined ? [] : (SUITES[first] ?? [first]);
const separator = rest.indexOf('--endpoint');
const endpoint = separator >= 0 ? rest.splice(separator, 2)[1] : undefined;

await synthesize(say);
const { exitCode } = await execa('npx', ['vitest', 'run', ...suite, ...rest], {
  stdio: 'inherit',
  reject: false,
  env: {
    ...(endpoint !== undefined && { DROPREEL_CONFORMANCE_ENDPOINT: endpoint }),
    ...(onNode24 && { DROPREEL_NODE: await node24(say) }),
  },
});
process.exitCode = exitCode ?? 1;
