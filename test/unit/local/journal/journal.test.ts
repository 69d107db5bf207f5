import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Journal, openJournal } from '../../../../local/journal.ts';

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

test('what was acknowledged is there again after a crash', async () => {
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

test('an unfinished compaction of an earlier process is no obstacle', async () => {
  await writeFile(file, '{"key":"a","value":"1"}\n');
  await writeFile(`${file}.new`, '{"key":"z"');
  const { map, journal } = await openMap();
  expect([...map.keys()]).toEqual(['a']);
  await journal.close();
});

test('abandon rejects appends that are not on the disk, close keeps them', async () => {
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
