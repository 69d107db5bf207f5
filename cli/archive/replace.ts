import type { BigIntStats } from 'node:fs';
import type { Replacement } from '../../core/contracts/archive.ts';
import type { FileSystem } from './file-system.ts';
import { isSameFile, isUnchanged, type Recording, sha256Of, statOf, versionOf } from './recording.ts';
import { writeRecord } from './records.ts';

export interface Verified extends Pick<Replacement, 'encoder' | 'ffmpeg' | 'quality' | 'deleteAfter'> {
  /** Version and hash of the original before it was encoded. */
  version: string;
  sha256: string;
  /** ISO 8601 */
  at: string;
  /** Throws where the original has a writer, or must not be replaced for another reason. */
  check: () => Promise<void>;
}

/** The original is not what was encoded. */
export class SourceChanged extends Error {
  override readonly name = 'SourceChanged';
}

/**
 * Gives a verified new file the name of its recording. The original has a second name before the new file takes its first, so that at every
 * instant the recording's name leads to a complete file; the record says which. `repair` finishes or undoes what a crash leaves.
 * @throws SourceChanged when the original changed since; Error when a step failed. Then nothing was replaced.
 */
export async function replace(disk: FileSystem, recording: Recording, verified: Verified): Promise<Replacement> {
  const { path, temporary, original, directory, name } = recording;
  const { version, sha256, check, at, ...described } = verified;
  const made = await statOf(temporary);
  const before = await sha256Of(temporary);
  await disk.copyAttributes(path, temporary);
  await disk.sync(temporary);
  const archived = { bytes: Number((await statOf(temporary))?.size ?? 0), sha256: await sha256Of(temporary) };
  if (archived.sha256 !== before) throw new Error(`${temporary} reads otherwise than it was written.`);
  const bytes = Number((await statOf(path))?.size ?? 0);
  const record: Replacement = {
    ...{ state: 'replacing', at, temporary: temporary.slice(directory.length + 1) },
    ...{ original: { name: `${name}.original`, bytes, sha256 }, archived, ...described },
  };
  await writeRecord(disk, recording, record);
  const encoded = await unchanged(path, version, sha256);
  await check();
  const isLinked = await nameAlso(disk, path, original);
  await disk.syncDirectory(directory);
  await checkKept(disk, recording, encoded, isLinked);
  if (!isSameFile(made, await statOf(temporary))) throw new Error(`${temporary} is not the file that was verified.`);
  await disk.rename(temporary, path);
  await disk.syncDirectory(directory);
  if (!isSameFile(made, await statOf(path))) throw new Error(`${path} is not the file that was put there.`);
  const done: Replacement = { ...record, state: 'archived' };
  await writeRecord(disk, recording, done);
  return done;
}

/** Which file the name leads to, as it was before it was read. */
async function unchanged(path: string, version: string, sha256: string): Promise<BigIntStats> {
  const now = await statOf(path);
  if (!now || versionOf(now) !== version || (await sha256Of(path)) !== sha256) throw changed(path);
  return now;
}

function changed(path: string): SourceChanged {
  return new SourceChanged(`${path} changed while it was encoded.`);
}

/** The last look before the rename: what is kept is what was encoded, and nothing else came under the recording's name. */
async function checkKept(
  disk: FileSystem,
  { path, original }: Recording,
  encoded: BigIntStats,
  isLinked: boolean,
): Promise<void> {
  const [here, kept] = [await statOf(path), await statOf(original)];
  if (isUnchanged(encoded, kept) && (isLinked ? isSameFile(here, kept) : here === undefined)) return;
  // `repair` could not tell whose it is.
  if (!isLinked && kept && !here) await disk.rename(original, path);
  throw changed(path);
}

/** File systems without hard links: FAT and exFAT (EPERM), some network and FUSE ones. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Gives a file a second name, or another one where there are no links: then the first is missing.
 * @returns whether it has both
 * @throws Error where something has that name
 */
export async function nameAlso(disk: FileSystem, from: string, to: string): Promise<boolean> {
  try {
    await disk.link(from, to);
    return true;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new Error(`${to} exists: move it away.`);
    if (!NO_LINKS.has(code)) throw error;
    // A rename would overwrite it.
    if (await statOf(to)) throw new Error(`${to} exists: move it away.`);
    await disk.rename(from, to);
    return false;
  }
}
