/** `npm test`: builds and synthesizes what the tests boot, then runs them all. Further arguments go to vitest. */
import { execa } from 'execa';
import { synthesize } from './synth.ts';

const SUITES: Record<string, string[]> = {
  '--conformance': ['test/conformance'],
  '--faults': ['--config', 'vitest.faults.config.ts'],
};

const [first, ...rest] = process.argv.slice(2);
const suite = first === undefined ? [] : (SUITES[first] ?? [first]);
const separator = rest.indexOf('--endpoint');
const endpoint = separator >= 0 ? rest.splice(separator, 2)[1] : undefined;

await synthesize((line) => process.stderr.write(`${line}\n`));
const { exitCode } = await execa('npx', ['vitest', 'run', ...suite, ...rest], {
  stdio: 'inherit',
  reject: false,
  env: endpoint === undefined ? {} : { DROPREEL_CONFORMANCE_ENDPOINT: endpoint },
});
process.exitCode = exitCode ?? 1;
