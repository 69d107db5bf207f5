import type { Replacement } from '../../core/contracts/archive.ts';
import type { FileSystem } from './file-system.ts';
import { type Recording, sha256Of, statOf, versionOf } from './recording.ts';
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
  await checkUnchanged(path, version, sha256);
  await check();
  const inode = (await statOf(temporary))?.ino;
  await keep(disk, path, original);
  await disk.syncDirectory(directory);
  await disk.rename(temporary, path);
  await disk.syncDirectory(directory);
  if ((await statOf(path))?.ino !== inode) throw new Error(`${path} is not the file that was put there.`);
  const done: Replacement = { ...record, state: 'archived' };
  await writeRecord(disk, recording, done);
  return done;
}

async function checkUnchanged(path: string, version: string, sha256: string): Promise<void> {
  const now = await statOf(path);
  if (!now || versionOf(now) !== version || (await sha256Of(path)) !== sha256) {
    throw new SourceChanged(`${path} changed while it was encoded.`);
  }
}

/** File systems without hard links: FAT and exFAT (EPERM), some network and FUSE ones. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/** Where there are no links, the recording's name is missing until the new file has it. */
async function keep(disk: FileSystem, path: string, original: string): Promise<void> {
  try {
    await disk.link(path, original);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new Error(`${original} exists: move it away.`);
    if (!NO_LINKS.has(code)) throw error;
    // A rename would overwrite it.
    if (await statOf(original)) throw new Error(`${original} exists: move it away.`);
    await disk.rename(path, original);
  }
}
