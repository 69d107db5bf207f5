/** `npm run bench [NAME…]`: runs the benchmarks in bench/, one after the other; each prints a table. Not timed by tests. */
import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import { execa } from 'execa';
import { synthesize } from './synth.ts';

const known = (await readdir('bench')).filter((file) => file.endsWith('.ts')).map((file) => basename(file, '.ts'));
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`bench: no benchmark ${unknown.join(', ')}; there are ${known.sort().join(', ')}\n`);
  process.exit(2);
}
await synthesize((line) => process.stderr.write(`${line}\n`));
for (const name of asked.length > 0 ? asked : known.sort()) {
  process.stderr.write(`\nbench: ${name}\n`);
  const { exitCode } = await execa('node', ['--import', 'tsx', `bench/${name}.ts`], {
    stdio: 'inherit',
    reject: false,
  });
  if (exitCode !== 0) process.exitCode = 1;
}
