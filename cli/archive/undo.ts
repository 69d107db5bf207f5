import { policyKey } from '../../core/archive/candidates.ts';
import { refusal } from '../../core/archive/fitness.ts';
import type { ArchivePolicy, ArchiveRecord, Replacement } from '../../core/contracts/archive.ts';
import { plus } from '../../core/time.ts';
import type { FileSystem } from './file-system.ts';
import { isSameFile, isUnchanged, type Recording, sha256Of, statOf, versionOf } from './recording.ts';
import { PART, readRecord, removeRecord, writeRecord } from './records.ts';
import { nameAlso } from './replace.ts';

/** What became of a recording, for people. Undefined: nothing had to be done. */
export type Done = string | undefined;

interface Context {
  policy: ArchivePolicy;
  /** ISO 8601 */
  now: string;
}

/**
 * Deletes an original, if its time has come, by its record and by the policy of today, and the new file is still the one that was verified.
 * @throws Error when it is not, or another file has the original's name: then both are kept.
 */
export async function purge(
  disk: FileSystem,
  recording: Recording,
  record: Replacement,
  { policy, now }: Context,
): Promise<Done> {
  if (record.state !== 'archived') return undefined;
  if (now < record.deleteAfter || now < plus(record.at, { days: policy.keepOriginalDays })) return undefined;
  if ((await holds(recording.path, record)) !== 'archived') {
    throw new Error(`${recording.path} is not the file that was verified: its original is kept.`);
  }
  const kept = await holds(recording.original, record);
  if (kept !== undefined && kept !== 'original') {
    throw new Error(`${recording.original} is not the file that was archived: it is kept. Move it away.`);
  }
  if (kept === 'original') {
    await disk.unlink(recording.original);
    await disk.syncDirectory(recording.directory);
  }
  await writeRecord(disk, recording, { ...record, state: 'purged', deletedAt: now });
  return 'original deleted';
}

/**
 * Puts an original back under its name, in one rename; the new file is gone then.
 * @throws Error when there is no original, it is not the one that was recorded, or another file has its name
 */
export async function restore(disk: FileSystem, recording: Recording, { policy, now }: Context): Promise<void> {
  const record = await readRecord(recording);
  if (record?.state !== 'archived') {
    const isThere = record !== undefined || (await statOf(recording.path)) !== undefined;
    const notArchived = isThere ? 'it is not archived' : 'there is no such recording';
    const why = record?.state === 'purged' ? `its original was deleted at ${record.deletedAt}` : notArchived;
    throw new Error(`${recording.path} cannot be restored: ${why}.`);
  }
  if ((await holds(recording.original, record)) !== 'original') {
    throw new Error(`${recording.original} is missing, or is not the file that was archived: nothing was changed.`);
  }
  const here = await statOf(recording.path);
  if ((await holds(recording.path, record)) === 'other') {
    throw new Error(`${recording.path} is another file than the archived one: move it away, then restore again.`);
  }
  if (!isUnchanged(here, await statOf(recording.path))) {
    throw new Error(`${recording.path} is being written: nothing was changed.`);
  }
  if (!here) await moveBack(disk, recording);
  // A rename onto another name of the same file does nothing: rename(2).
  else if (isSameFile(here, await statOf(recording.original))) await disk.unlink(recording.original);
  else await disk.rename(recording.original, recording.path);
  await disk.syncDirectory(recording.directory);
  await writeRecord(disk, recording, await restored(recording, policy, now));
}

/** @throws Error where something has the recording's name by now */
async function moveBack(disk: FileSystem, { path, original }: Recording): Promise<void> {
  if (await nameAlso(disk, original, path)) await disk.unlink(original);
}

async function restored(recording: Recording, policy: ArchivePolicy, now: string): Promise<ArchiveRecord> {
  const stats = await statOf(recording.path);
  return {
    ...{ state: 'refused', at: now, source: stats ? versionOf(stats) : '', policy: policyKey(policy) },
    refusals: [refusal('restored', 'The original is back under its name.')],
  };
}

/**
 * Finishes or undoes what a crash left of a recording. It changes nothing where it does not find a file that the record names.
 * @throws Error then
 */
export async function repair(disk: FileSystem, recording: Recording, { policy, now }: Context): Promise<Done> {
  if (await statOf(`${recording.record}${PART}`)) await disk.unlink(`${recording.record}${PART}`);
  const record = await readRecord(recording);
  if (record?.state === 'encoding') {
    await undo(disk, recording);
    return 'unfinished encode removed';
  }
  if (record?.state === 'replacing') return finishOrUndo(disk, recording, record);
  if (record?.state !== 'archived') return undefined;
  const [here, kept] = await Promise.all([statOf(recording.path), statOf(recording.original)]);
  // Both are there: what a check of their bytes would find, `purge` and `restore` find before they change anything.
  if (here && kept && !isSameFile(here, kept)) return undefined;
  if (here && kept) await disk.unlink(recording.original);
  if (!here && kept) return putBack(disk, recording, record);
  if (!here) {
    await removeRecord(disk, recording);
    return 'record of a deleted recording removed';
  }
  const held = await holds(recording.path, record);
  if (held === 'original') await writeRecord(disk, recording, await restored(recording, policy, now));
  else if (held === 'archived') await writeRecord(disk, recording, { ...record, state: 'purged', deletedAt: now });
  else throw lost(recording);
  return held === 'original' ? 'restore finished' : 'original was deleted';
}

async function finishOrUndo(disk: FileSystem, recording: Recording, record: Replacement): Promise<Done> {
  // The second name of one file, whatever was written into it.
  if (isSameFile(await statOf(recording.path), await statOf(recording.original))) await disk.unlink(recording.original);
  const [held, kept] = [await holds(recording.path, record), await holds(recording.original, record)];
  if (held === 'archived' && kept === 'original') {
    await disk.syncDirectory(recording.directory);
    await writeRecord(disk, recording, { ...record, state: 'archived' });
    return 'replacement finished';
  }
  if (held === 'original') {
    if (kept === 'original') await disk.unlink(recording.original);
    await undo(disk, recording);
    return 'replacement undone';
  }
  if (held === undefined && kept === 'original') return putBack(disk, recording, record);
  if (held === 'archived' || kept !== undefined) throw lost(recording);
  await undo(disk, recording);
  return held === undefined ? 'the recording is gone: replacement undone' : 'the recording changed: replacement undone';
}

async function putBack(disk: FileSystem, recording: Recording, record: Replacement): Promise<Done> {
  if ((await holds(recording.original, record)) !== 'original') throw lost(recording);
  await moveBack(disk, recording);
  await undo(disk, recording);
  return 'original put back';
}

function lost({ path, original, record, name }: Recording): Error {
  const what = `${path} and ${original} are not what ${record} names: both are left as they are.`;
  return new Error(`${what} Keep the one you need as ${name}, and delete the record.`);
}

/** Removes the new file and the record of it: nothing was replaced. */
async function undo(disk: FileSystem, recording: Recording): Promise<void> {
  if (await statOf(recording.temporary)) await disk.unlink(recording.temporary);
  await disk.syncDirectory(recording.directory);
  await removeRecord(disk, recording);
}

/** Which of the two files a name leads to, by size and hash; undefined where it leads to none. */
async function holds(
  path: string,
  { original, archived }: Replacement,
): Promise<'original' | 'archived' | 'other' | undefined> {
  const stats = await statOf(path);
  if (!stats) return undefined;
  if (!stats.isFile()) return 'other';
  const fits = [original, archived].some(({ bytes }) => BigInt(bytes) === stats.size);
  const sha256 = fits ? await sha256Of(path) : '';
  return sha256 === original.sha256 ? 'original' : sha256 === archived.sha256 ? 'archived' : 'other';
}
