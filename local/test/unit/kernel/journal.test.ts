import { spawnSync } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Journal, openJournal } from '../../../kernel/journal.ts';
import { openNumbers, RECORD_BYTES } from './numbers.ts';

type Put = { key: string; value: string | null };

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'journal-'));
  file = join(directory, 'state.jsonl');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function openMap(): Promise<{ map: Map<string, string>; journal: Journal<Put> }> {
  const map = new Map<string, string>();
  const journal = await openJournal<Put>({
    file,
    apply: ({ key, value }) => (value === null ? map.delete(key) : map.set(key, value)),
    snapshot: () => [...map].map(([key, value]) => ({ key, value })),
  });
  return { map, journal };
}

test('a record is applied before append returns and on the disk when it resolves', async () => {
  const { map, journal } = await openMap();
  const written = journal.append({ key: 'a', value: '1' });
  expect(map.get('a')).toBe('1');
  await written;
  expect(await readFile(file, 'utf8')).toBe('{"key":"a","value":"1"}\n');
  await journal.close();
});

test('concurrent appends are written in the order of the calls', async () => {
  const { journal } = await openMap();
  await Promise.all([...'abcdefgh'].map((key) => journal.append({ key, value: '\u2028' })));
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).key).join('')).toBe('abcdefgh');
  await journal.close();
});

test('acknowledged records are present after a crash', async () => {
  const first = await openMap();
  await first.journal.append({ key: 'a', value: 'ü\n\u2028' });
  await first.journal.append({ key: 'b', value: '2' });
  await first.journal.append({ key: 'b', value: null });
  await first.journal.abandon();
  const second = await openMap();
  expect([...second.map]).toEqual([['a', 'ü\n\u2028']]);
  await second.journal.close();
});

test('opening compacts the file to the snapshot and leaves no other file', async () => {
  await writeFile(file, '{"key":"a","value":"1"}\n{"key":"a","value":"2"}\n{"key":"b","value":"3"}\n');
  const { journal } = await openMap();
  expect(await readFile(file, 'utf8')).toBe('{"key":"a","value":"2"}\n{"key":"b","value":"3"}\n');
  expect(await readdir(directory)).toEqual(['state.jsonl']);
  await journal.close();
});

test('a torn last line is dropped, and later records are whole', async () => {
  await writeFile(file, '{"key":"a","value":"1"}\n');
  await appendFile(file, '{"key":"b","val');
  const first = await openMap();
  expect([...first.map.keys()]).toEqual(['a']);
  await first.journal.append({ key: 'c', value: '3' });
  await first.journal.close();
  const second = await openMap();
  expect([...second.map.keys()]).toEqual(['a', 'c']);
  await second.journal.close();
});

test('a damaged line before the last is an error that names it', async () => {
  await writeFile(file, '{"key":"a","value":"1"}\n{"key":"b\n{"key":"c","value":"1"}\n');
  await expect(openMap()).rejects.toThrow(`journal ${file} is damaged at line 2`);
});

test('an unfinished compaction of an earlier process does not prevent opening', async () => {
  await writeFile(file, '{"key":"a","value":"1"}\n');
  await writeFile(`${file}.new`, '{"key":"z"');
  const { map, journal } = await openMap();
  expect([...map.keys()]).toEqual(['a']);
  await journal.close();
});

test('abandon rejects appends that are not on the disk, and close writes them', async () => {
  const first = await openMap();
  const lost = expect(first.journal.append({ key: 'lost', value: '1' })).rejects.toThrow('was abandoned');
  await first.journal.abandon();
  await lost;
  const second = await openMap();
  expect(second.map.size).toBe(0);
  const kept = second.journal.append({ key: 'kept', value: '1' });
  await second.journal.close();
  await kept;
  const third = await openMap();
  expect([...third.map.keys()]).toEqual(['kept']);
  await third.journal.close();
});

test('appending to a closed journal is an error', async () => {
  const { journal } = await openMap();
  await journal.close();
  await expect(journal.append({ key: 'a', value: '1' })).rejects.toThrow('is closed');
});

describe('a journal that has grown to more than a mebibyte as it runs', () => {
  const MANY = Math.ceil((1.5 * 2 ** 20) / RECORD_BYTES);
  const numbers = Array.from({ length: MANY }, (_, i) => i + 1);
  const sizeOf = async () => (await stat(file)).size;

  test('is compacted to its snapshot, and appends continue', async () => {
    const { journal } = await openNumbers(file);
    for (const n of numbers) await journal.append(n);
    expect(await sizeOf()).toBeLessThan(0.5 * 2 ** 20);
    await journal.close();
    expect((await openNumbers(file)).last()).toBe(MANY);
    expect(await readdir(directory)).toEqual(['state.jsonl']);
  });

  test('contains once what was appended during the compaction', async () => {
    const { journal } = await openNumbers(file);
    let n = 0;
    while (n * RECORD_BYTES < 2 ** 20) await journal.append(++n);
    let isCompacted = false;
    const appended = [
      journal.append(++n).then(() => {
        isCompacted = true;
      }),
    ];
    while (!isCompacted) {
      await new Promise((resolve) => setImmediate(resolve));
      appended.push(journal.append(++n, 1));
    }
    expect(appended.length).toBeGreaterThan(2);
    await Promise.all(appended);
    expect(await sizeOf()).toBeLessThan(0.5 * 2 ** 20);
    await journal.close();
    expect((await openNumbers(file)).last()).toBe(n);
  });

  test('continues in its old file when no new one can be written', async () => {
    const { journal } = await openNumbers(file);
    await mkdir(`${file}.new`);
    for (const n of numbers) await journal.append(n);
    expect(await sizeOf()).toBeGreaterThan(MANY * RECORD_BYTES);
    await journal.close();
    await rm(`${file}.new`, { recursive: true });
    expect((await openNumbers(file)).last()).toBe(MANY);
  });

  // The calls of the compaction in their order, and of the write that follows.
  test.each([
    '1 rm',
    '2 open',
    '3 write',
    '4 truncate',
    '5 sync',
    '6 rename',
    '7 open',
    '8 sync',
    '9 write',
  ])('loses and doubles no record when the process dies at call %s', async (call) => {
    const writer = join(import.meta.dirname, 'dying-writer.ts');
    const died = spawnSync(process.execPath, ['--import', 'tsx', writer, file, call], { encoding: 'utf8' });
    expect(died).toMatchObject({ signal: 'SIGKILL', stderr: '' });
    const safe = died.stdout.trim().split('\n').map(Number);
    const { journal, last } = await openNumbers(file);
    // What was being appended may be there.
    expect([safe.length, safe.length + 1]).toContain(last());
    expect(await readdir(directory)).toEqual(['state.jsonl']);
    await journal.close();
  });
});
