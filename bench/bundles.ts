/** Size of each function's bundle, and how long Node takes from its start until the handler is loaded (a cold start's INIT). */

import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { readFunctionEnvironments } from './support/template.ts';

const RUNS = 7;
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function coldStart(bundle: string, env: Record<string, string>): Promise<number> {
  const started = performance.now();
  await execa('node', ['--input-type=module', '-e', `await import(${JSON.stringify(bundle)}); process.exit(0)`], {
    env: { ...env, AWS_REGION: 'us-east-1' },
  });
  return performance.now() - started;
}

const bare = [];
for (let i = 0; i < RUNS; i++) bare.push(await coldStart('data:text/javascript,', {}));
console.log(`node alone: ${median(bare).toFixed(0)} ms (median of ${RUNS})\n`);
console.log('| function | bundle | gzip | start to handler loaded | less node |');
console.log('|---|---|---|---|---|');
const environments = await readFunctionEnvironments('cdk.out');
for (const name of (await readdir('dist/functions')).toSorted()) {
  const bundle = resolve('dist/functions', name, 'index.mjs');
  const { size } = await stat(bundle);
  const gzip = gzipSync(readFileSync(bundle)).length;
  const times: number[] = [];
  for (let i = 0; i < RUNS; i++) times.push(await coldStart(bundle, environments[name] ?? {}));
  const cells = [
    name,
    `${(size / 1024).toFixed(0)} KiB`,
    `${(gzip / 1024).toFixed(0)} KiB`,
    `${median(times).toFixed(0)} ms`,
    `${(median(times) - median(bare)).toFixed(0)} ms`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}
