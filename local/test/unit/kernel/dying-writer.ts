/**
 * Appends numbers to a journal until it has been compacted as it ran, and says each that is safe. It kills itself instead of
 * making the file-system call that the second argument counts, from the first of that compaction on: `1 rm`, `2 open` …
 */
import { writeSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { openNumbers, RECORD_BYTES } from './numbers.ts';

const [, , file = '', killAt = ''] = process.argv;
let isCompacting = false;
let calls = 0;

function mortal(owner: object, names: string[]): void {
  const functions = owner as Record<string, (...args: unknown[]) => Promise<unknown>>;
  for (const name of names) {
    const original = functions[name];
    if (!original) throw new Error(`there is no ${name}`);
    functions[name] = function call(this: unknown, ...args: unknown[]) {
      isCompacting ||= args[0] === `${file}.new`;
      if (isCompacting) calls += 1;
      if (`${calls} ${name}` === killAt) process.kill(process.pid, 'SIGKILL');
      return original.apply(this, args);
    };
  }
}

const { journal } = await openNumbers(file);
const probe = await promises.open('/dev/null');
mortal(Object.getPrototypeOf(probe), ['write', 'truncate', 'sync', 'datasync']);
await probe.close();
mortal(promises, ['rm', 'open', 'rename']);
syncBuiltinESMExports();

for (let n = 1; n * RECORD_BYTES < 1.5 * 2 ** 20; n++) {
  await journal.append(n);
  writeSync(1, `${n}\n`);
}
await journal.close();
