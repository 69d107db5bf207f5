/**
 * `npm run test:mutations -- [--count N] [--seed N] [--only NAME]`: damages files of twenty containers N times (1,000) in all, each by a
 * seed of its own, from the given one on (1), and passes each to the worker from probe to verification. Prints how many came to which end,
 * with file and seed of each that is a fault: one that hangs, ends with a code of dropreel's own, or is ready in silence though FFmpeg sees
 * that it is damaged; and of those that FFmpeg decodes to something else without an error. `--only film.ts --count 1 --seed 345` repeats one.
 */
import { parseArgs } from 'node:util';
import { temporaryDirectory } from '../test/support/media.ts';
import { decode, isFault, judge, type Verdict } from '../test/support/mutations/judge.ts';
import { makeSources } from '../test/support/mutations/sources.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});
const [count, first] = [Number(values.count), Number(values.seed)];
if (!(count > 0) || !Number.isInteger(count) || !Number.isInteger(first)) {
  process.stderr.write('test:mutations: --count and --seed are whole numbers\n');
  process.exit(2);
}
/** Files that are encoded at once: each takes some processes. */
const AT_ONCE = 2;

await using directory = await temporaryDirectory();
const all = await makeSources(directory.path);
const sources = all.filter(({ name }) => values.only === undefined || name === values.only);
const originals = new Map<string, string>();
for (const { name, path } of sources) originals.set(name, (await decode(path)).hashes);

const ends = new Map<string, Map<string, number>>();
const started = Date.now();
let [next, faults] = [0, 0];

function tell(name: string, seed: number, { kind, outcome, message }: Verdict): void {
  const counts = ends.get(name) ?? new Map<string, number>();
  ends.set(name, counts.set(outcome, (counts.get(outcome) ?? 0) + 1));
  const isWrong = isFault({ kind, outcome, message, bytes: Buffer.alloc(0) });
  if (isWrong) faults += 1;
  if (isWrong || outcome === 'unnoticed') {
    process.stdout.write(`${outcome}: ${name}, seed ${seed} (${kind}): ${message}\n`);
  }
}

async function work(): Promise<void> {
  while (next < count) {
    const seed = first + next;
    // By the seed: parts of a run are the run.
    const source = sources[(seed - 1) % sources.length];
    next += 1;
    if (source) tell(source.name, seed, await judge(source, originals.get(source.name) ?? '', seed, directory.path));
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, work));
const totals = new Map<string, number>();
for (const [name, counts] of ends) {
  for (const [outcome, n] of counts) totals.set(outcome, (totals.get(outcome) ?? 0) + n);
  process.stdout.write(`mutations: ${name}: ${list(counts)}\n`);
}
const seconds = Math.round((Date.now() - started) / 1000);
process.stdout.write(
  `mutations: ${count} files, seeds ${first} to ${first + count - 1}, ${seconds} s: ${list(totals)}\n`,
);
if (faults > 0) process.exitCode = 1;

function list(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([outcome, n]) => `${n} ${outcome}`)
    .join(', ');
}
