import { readFile, rm, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { Recording } from '../../../../cli/archive/recording.ts';
import { readRecord } from '../../../../cli/archive/records.ts';
import { purge, repair, restore } from '../../../../cli/archive/undo.ts';
import { ARCHIVED, LATER, library, NOW, ORIGINAL, policy, QUICK, replaceIt } from '../../../support/archived.ts';
import { temporaryDirectory } from '../../../support/media.ts';

const context = { policy, now: NOW };

async function archived(directory: string): Promise<Recording> {
  const recording = await library(directory);
  await replaceIt(QUICK, recording);
  return recording;
}

async function purgeAt(recording: Recording, now: string): Promise<string | undefined> {
  const record = await readRecord(recording);
  return record?.state === 'archived' ? purge(QUICK, recording, record, now) : undefined;
}

test('an original is deleted when its day has come, not before', async () => {
  await using directory = await temporaryDirectory();
  const recording = await archived(directory.path);
  expect(await purgeAt(recording, '2026-11-30T01:59:59.999Z')).toBeUndefined();
  expect(await readFile(recording.original, 'utf8')).toBe(ORIGINAL);
  expect(await purgeAt(recording, '2026-11-30T02:00:00.000Z')).toBe('original deleted');
  await expect(readFile(recording.original)).rejects.toThrow('ENOENT');
  await expect(restore(QUICK, recording, context)).rejects.toThrow(
    `${recording.path} cannot be restored: its original was deleted at 2026-11-30T02:00:00.000Z.`,
  );
});

test.each([
  ['of the same size, with other bytes', ARCHIVED.replace('new', 'bad')],
  ['shorter', 'x'],
])('an original is kept while the file in its place is %s', async (_, text) => {
  await using directory = await temporaryDirectory();
  const recording = await archived(directory.path);
  await writeFile(recording.path, text);
  await expect(purgeAt(recording, LATER)).rejects.toThrow(
    `${recording.path} is not the file that was verified: its original is kept.`,
  );
  expect(await readFile(recording.original, 'utf8')).toBe(ORIGINAL);
});

test('an original is kept while there is no file in its place', async () => {
  await using directory = await temporaryDirectory();
  const recording = await archived(directory.path);
  await rm(recording.path);
  await expect(purgeAt(recording, LATER)).rejects.toThrow('its original is kept');
  expect(await repair(QUICK, recording, context)).toBe('original put back');
  expect(await readFile(recording.path, 'utf8')).toBe(ORIGINAL);
});

test('what lies under the name of an original and is another file is not put back', async () => {
  await using directory = await temporaryDirectory();
  const recording = await archived(directory.path);
  await writeFile(recording.original, 'something else');
  await expect(restore(QUICK, recording, context)).rejects.toThrow('nothing was changed');
  expect(await readFile(recording.path, 'utf8')).toBe(ARCHIVED);
});

test('what lies under the name of an original is not overwritten', async () => {
  await using directory = await temporaryDirectory();
  const recording = await library(directory.path);
  await writeFile(recording.original, 'of another program');
  await expect(replaceIt(QUICK, recording)).rejects.toThrow(`${recording.original} exists: move it away.`);
  expect(await repair(QUICK, recording, context)).toBe('replacement undone');
  expect(await readFile(recording.original, 'utf8')).toBe('of another program');
  expect(await readFile(recording.path, 'utf8')).toBe(ORIGINAL);
});

test('when both files are another than the record names, both are left as they are', async () => {
  await using directory = await temporaryDirectory();
  const recording = await archived(directory.path);
  await rm(recording.original);
  await writeFile(recording.path, 'recorded anew');
  await expect(repair(QUICK, recording, context)).rejects.toThrow('both are left as they are');
  expect(await readFile(recording.path, 'utf8')).toBe('recorded anew');
});

test('the record of a recording that a person deleted goes with it', async () => {
  await using directory = await temporaryDirectory();
  const recording = await archived(directory.path);
  await Promise.all([rm(recording.path), rm(recording.original)]);
  expect(await repair(QUICK, recording, context)).toBe('record of a deleted recording removed');
  expect(await readRecord(recording)).toBeUndefined();
});

test('an original that changes after it was read is not replaced', async () => {
  await using directory = await temporaryDirectory();
  const recording = await library(directory.path);
  const disk: typeof QUICK = {
    ...QUICK,
    // The last moment before the original is read again.
    rename: async (from, to) => {
      await QUICK.rename(from, to);
      await writeFile(recording.path, 'recorded anew');
    },
  };
  await expect(replaceIt(disk, recording)).rejects.toThrow(`${recording.path} changed while it was encoded.`);
  expect(await readFile(recording.path, 'utf8')).toBe('recorded anew');
});
