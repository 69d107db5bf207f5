import { link, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Recording, recordingAt } from '../../../../cli/archive/recording.ts';
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
  return record?.state === 'archived' ? purge(QUICK, recording, record, { policy, now }) : undefined;
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
  expect(await repair(QUICK, recording, context)).toBe('the recording changed: replacement undone');
  expect(await contents(directory.path)).toEqual({ 'a.mp4': 'recorded anew' });
});

/** By name. */
async function contents(directory: string): Promise<Record<string, string>> {
  const names = (await readdir(directory)).sort();
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(`${directory}/${name}`, 'utf8')])),
  );
}

/** What a recorder, or another program, does to a folder. */
type Meddling = (recording: Recording) => Promise<void>;
const edit: Meddling = ({ path }) => writeFile(path, 'edited in place');
const swap: Meddling = async ({ path }) => {
  await writeFile(`${path}.tmp`, 'recorded anew');
  await rename(`${path}.tmp`, path);
};

test.each<[string, { before?: Meddling; after?: Meddling; hasLinks?: boolean; left: string }]>([
  ['edited before it gets its second name', { before: edit, left: 'edited in place' }],
  ['edited after it got its second name', { after: edit, left: 'edited in place' }],
  ['swapped before it gets its second name', { before: swap, left: 'recorded anew' }],
  ['edited, where there are no links', { after: edit, hasLinks: false, left: 'edited in place' }],
])('an original that is %s is not replaced', async (_, { before, after, hasLinks = true, left }) => {
  await using directory = await temporaryDirectory();
  const recording = await library(directory.path);
  const disk: typeof QUICK = {
    ...QUICK,
    link: async (from, to) => {
      await before?.(recording);
      if (hasLinks) await QUICK.link(from, to);
      await after?.(recording);
      if (!hasLinks) throw Object.assign(new Error('link'), { code: 'EPERM' });
    },
  };
  await expect(replaceIt(disk, recording)).rejects.toThrow(`${recording.path} changed while it was encoded.`);
  expect(await repair(QUICK, recording, context)).toBe('the recording changed: replacement undone');
  expect(await contents(directory.path)).toEqual({ 'a.mp4': left });
});

test('a recording that comes in the place of the original is not replaced, and both are left', async () => {
  await using directory = await temporaryDirectory();
  const recording = await library(directory.path);
  const disk: typeof QUICK = {
    ...QUICK,
    link: async (from, to) => {
      await QUICK.link(from, to);
      await swap(recording);
    },
  };
  await expect(replaceIt(disk, recording)).rejects.toThrow('changed while it was encoded');
  await expect(repair(QUICK, recording, context)).rejects.toThrow(
    'both are left as they are. Keep the one you need as a.mp4, and delete the record.',
  );
  expect(await contents(directory.path)).toMatchObject({ 'a.mp4': 'recorded anew', 'a.mp4.original': ORIGINAL });
});

test('a new file that is another than was verified is not put there', async () => {
  await using directory = await temporaryDirectory();
  const recording = await library(directory.path);
  const disk: typeof QUICK = {
    ...QUICK,
    link: async (from, to) => {
      await QUICK.link(from, to);
      await writeFile(`${recording.temporary}.tmp`, ARCHIVED);
      await rename(`${recording.temporary}.tmp`, recording.temporary);
    },
  };
  await expect(replaceIt(disk, recording)).rejects.toThrow(`${recording.temporary} is not the file that was verified.`);
  expect(await repair(QUICK, recording, context)).toBe('replacement undone');
  expect(await contents(directory.path)).toEqual({ 'a.mp4': ORIGINAL });
});

test('what has the name of an original and is another file is not deleted', async () => {
  await using directory = await temporaryDirectory();
  const recording = await archived(directory.path);
  await writeFile(recording.original, 'of another program');
  await expect(purgeAt(recording, LATER)).rejects.toThrow(
    `${recording.original} is not the file that was archived: it is kept. Move it away.`,
  );
  expect(await readFile(recording.original, 'utf8')).toBe('of another program');
});

test('an original has the days of the policy, when it asks for more than it did', async () => {
  await using directory = await temporaryDirectory();
  const recording = await archived(directory.path);
  const record = await readRecord(recording);
  if (record?.state !== 'archived') throw new Error('It is not archived.');
  const longer = { ...policy, keepOriginalDays: 7 };
  expect(await purge(QUICK, recording, record, { policy: longer, now: '2026-12-06T01:59:59.999Z' })).toBeUndefined();
  expect(await purge(QUICK, recording, record, { policy: longer, now: '2026-12-06T02:00:00.000Z' })).toBe(
    'original deleted',
  );
});

test('a recording that came in the place of the new file is not overwritten by the original', async () => {
  await using directory = await temporaryDirectory();
  const recording = await archived(directory.path);
  await swap(recording);
  await expect(restore(QUICK, recording, context)).rejects.toThrow(
    `${recording.path} is another file than the archived one: move it away, then restore again.`,
  );
  expect(await contents(directory.path)).toMatchObject({ 'a.mp4': 'recorded anew', 'a.mp4.original': ORIGINAL });
});

test('a recording that comes while an original is put back is not overwritten', async () => {
  await using directory = await temporaryDirectory();
  const recording = await archived(directory.path);
  await rm(recording.path);
  const disk: typeof QUICK = {
    ...QUICK,
    link: async (from, to) => {
      await swap(recording);
      await QUICK.link(from, to);
    },
  };
  await expect(repair(disk, recording, context)).rejects.toThrow(`${recording.path} exists: move it away.`);
  await rm(recording.path);
  await expect(restore(disk, recording, context)).rejects.toThrow(`${recording.path} exists: move it away.`);
  expect(await contents(directory.path)).toMatchObject({ 'a.mp4': 'recorded anew', 'a.mp4.original': ORIGINAL });
});

test('a restore that was killed between its two names is finished', async () => {
  await using directory = await temporaryDirectory();
  const recording = await archived(directory.path);
  await rm(recording.path);
  await link(recording.original, recording.path);
  expect(await repair(QUICK, recording, context)).toBe('restore finished');
  expect(Object.keys(await contents(directory.path))).toEqual(['a.mp4', 'a.mp4.archive.json']);
  expect(await readRecord(recording)).toMatchObject({ state: 'refused', refusals: [{ reason: 'restored' }] });
});

test('what cannot be restored says why', async () => {
  await using directory = await temporaryDirectory();
  const recording = recordingAt(join(directory.path, 'b.mp4'));
  const refused = `${recording.path} cannot be restored:`;
  await expect(restore(QUICK, recording, context)).rejects.toThrow(`${refused} there is no such recording.`);
  await writeFile(recording.path, ORIGINAL);
  await expect(restore(QUICK, recording, context)).rejects.toThrow(`${refused} it is not archived.`);
});
