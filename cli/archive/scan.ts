import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Standing, standingOf } from '../../core/archive/candidates.ts';
import type { ArchivePolicy, ArchiveRecord } from '../../core/contracts/archive.ts';
import { isRecordingName, type Recording, recordingAt, recordingOfRecord, statOf, versionOf } from './recording.ts';
import { readRecord } from './records.ts';
import { STATE_DIRECTORY } from './settings.ts';
import { identityOf, openForWriting } from './writers.ts';

export interface Found {
  recording: Recording;
  bytes: number;
  changedAt: number;
  version: string;
  /** More than one: another name leads to the same file. */
  links: number;
  record: ArchiveRecord | undefined;
  standing: Standing;
}

export interface Library {
  /** Oldest first. */
  files: Found[];
  /** Recordings with a record, of which no file is left. */
  orphans: Recording[];
  /** Folders and records that cannot be read. */
  problems: string[];
}

/**
 * All recordings below a folder. Hidden folders, and those that have an archive of their own, are not entered, links are not followed. What
 * cannot be read hides nothing else.
 */
export async function scan(folder: string, policy: ArchivePolicy, now: number): Promise<Library> {
  const library: Library = { files: [], orphans: [], problems: [] };
  const how = { policy, now, open: await openForWriting(), isAsked: false };
  const attempt = (action: Promise<void>) =>
    action.catch((error: NodeJS.ErrnoException) => {
      // Programs that make room delete files and folders at any time.
      if (error.code !== 'ENOENT') library.problems.push(error.message);
    });
  const visit = async (directory: string): Promise<void> => {
    const entries = await readdir(directory, { withFileTypes: true });
    if (directory !== folder && entries.some(({ name }) => name === STATE_DIRECTORY)) {
      const own = join(directory, STATE_DIRECTORY);
      throw new Error(`${directory} is left out: it has an archive of its own. Delete ${own} to have it in this one.`);
    }
    for (const entry of entries) {
      const path = join(directory, entry.name);
      if (entry.isDirectory() && !entry.name.startsWith('.')) await attempt(visit(path));
      else if (entry.isFile()) await attempt(add(library, path, how));
    }
  };
  await attempt(visit(folder));
  library.files.sort((a, b) => a.changedAt - b.changedAt || (a.recording.path < b.recording.path ? -1 : 1));
  return library;
}

async function add(library: Library, path: string, how: Parameters<typeof look>[1]): Promise<void> {
  const owner = recordingOfRecord(path);
  if (owner && !(await statOf(owner.path))) library.orphans.push(owner);
  if (!isRecordingName(basename(path))) return;
  const found = await look(recordingAt(path), how);
  if (found) library.files.push(found);
}

/**
 * Undefined where no file has the name.
 * @throws Error when its record cannot be read
 */
export async function look(
  recording: Recording,
  { policy, now, open, isAsked }: { policy: ArchivePolicy; now: number; open: ReadonlySet<string>; isAsked: boolean },
): Promise<Found | undefined> {
  const stats = await statOf(recording.path);
  if (!stats?.isFile()) return undefined;
  const record = await readRecord(recording);
  const file = {
    changedAt: Number(stats.mtimeMs),
    bytes: Number(stats.size),
    version: versionOf(stats),
    isOpen: open.has(identityOf(stats)),
    record,
  };
  const standing = standingOf(file, policy, { now, isAsked });
  return { recording, links: Number(stats.nlink), standing, ...file };
}
