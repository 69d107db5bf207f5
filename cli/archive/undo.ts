import { policyKey } from '../../core/archive/candidates.ts';
import { refusal } from '../../core/archive/fitness.ts';
import type { ArchivePolicy, ArchiveRecord, Replacement } from '../../core/contracts/archive.ts';
import type { FileSystem } from './file-system.ts';
import { type Recording, sha256Of, statOf, versionOf } from './recording.ts';
import { PART, readRecord, removeRecord, writeRecord } from './records.ts';

/** What became of a recording, for people. Undefined: nothing had to be done. */
export type Done = string | undefined;

/**
 * Deletes an original, if its time has come and the new file is still the one that was verified.
 * @param now ISO 8601
 * @throws Error when the new file is not: then the original is kept.
 */
export async function purge(disk: FileSystem, recording: Recording, record: Replacement, now: string): Promise<Done> {
  if (record.state !== 'archived' || now < record.deleteAfter) return undefined;
  if ((await holds(recording.path, record)) !== 'archived') {
    throw new Error(`${recording.path} is not the file that was verified: its original is kept.`);
  }
  if (await statOf(recording.original)) {
    await disk.unlink(recording.original);
    await disk.syncDirectory(recording.directory);
  }
  await writeRecord(disk, recording, { ...record, state: 'purged', deletedAt: now });
  return 'original deleted';
}

/**
 * Puts an original back under its name, in one rename; the new file is gone then.
 * @throws Error when there is no original, or it is not the one that was recorded
 */
export async function restore(
  disk: FileSystem,
  recording: Recording,
  { policy, now }: { policy: ArchivePolicy; now: string },
): Promise<void> {
  const record = await readRecord(recording);
  if (record?.state !== 'archived') {
    const why = record?.state === 'purged' ? `its original was deleted at ${record.deletedAt}` : 'it is not archived';
    throw new Error(`${recording.path} cannot be restored: ${why}.`);
  }
  if ((await holds(recording.original, record)) !== 'original') {
    throw new Error(`${recording.original} is missing, or is not the file that was archived: nothing was changed.`);
  }
  await disk.rename(recording.original, recording.path);
  await disk.syncDirectory(recording.directory);
  await writeRecord(disk, recording, await restored(recording, policy, now));
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
export async function repair(
  disk: FileSystem,
  recording: Recording,
  { policy, now }: { policy: ArchivePolicy; now: string },
): Promise<Done> {
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
  if (here && kept) return undefined;
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
  throw lost(recording);
}

async function putBack(disk: FileSystem, recording: Recording, record: Replacement): Promise<Done> {
  if ((await holds(recording.original, record)) !== 'original') throw lost(recording);
  await disk.rename(recording.original, recording.path);
  await undo(disk, recording);
  return 'original put back';
}

function lost({ path, original, record }: Recording): Error {
  return new Error(`Neither ${path} nor ${original} is the file that ${record} names: both are left as they are.`);
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
  const fits = [original, archived].some(({ bytes }) => BigInt(bytes) === stats.size);
  const sha256 = fits ? await sha256Of(path) : '';
  return sha256 === original.sha256 ? 'original' : sha256 === archived.sha256 ? 'archived' : 'other';
}
