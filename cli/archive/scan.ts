import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Standing, standingOf } from '../../core/archive/candidates.ts';
import type { ArchivePolicy, ArchiveRecord } from '../../core/contracts/archive.ts';
import { isRecordingName, type Recording, recordingAt, recordingOfRecord, statOf, versionOf } from './recording.ts';
import { readRecord } from './records.ts';
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
  /** Records that cannot be read. */
  problems: string[];
}

/** All recordings below a folder. Hidden folders are not entered, links are not followed. */
export async function scan(folder: string, policy: ArchivePolicy, now: number): Promise<Library> {
  const library: Library = { files: [], orphans: [], problems: [] };
  const open = await openForWriting();
  for await (const path of filesBelow(folder)) {
    const owner = recordingOfRecord(path);
    if (owner && !(await statOf(owner.path))) library.orphans.push(owner);
    if (!isRecordingName(path.slice(path.lastIndexOf('/') + 1))) continue;
    const found = await look(recordingAt(path), { policy, now, open, isAsked: false }).catch((error: Error) => error);
    if (found instanceof Error) library.problems.push(found.message);
    else if (found) library.files.push(found);
  }
  library.files.sort((a, b) => a.changedAt - b.changedAt || (a.recording.path < b.recording.path ? -1 : 1));
  return library;
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && !entry.name.startsWith('.')) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
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
    version: versionOf(stats),
    isOpen: open.has(identityOf(stats)),
    record,
  };
  const standing = standingOf(file, policy, { now, isAsked });
  return { recording, bytes: Number(stats.size), links: Number(stats.nlink), standing, ...file };
}
