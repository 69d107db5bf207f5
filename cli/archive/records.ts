import { readFile } from 'node:fs/promises';
import { ArchiveRecord } from '../../core/contracts/archive.ts';
import { parseJson } from '../../core/contracts/text.ts';
import type { FileSystem } from './file-system.ts';
import { type Recording, statOf } from './recording.ts';

/** A record while it is written. */
export const PART = '.part';

/**
 * Undefined where there is none.
 * @throws Error for one that is damaged, is not a file, or is of another release: what it describes must not be touched.
 */
export async function readRecord({ record }: Recording): Promise<ArchiveRecord | undefined> {
  const stats = await statOf(record);
  if (!stats) return undefined;
  const { data } = ArchiveRecord.safeParse(stats.isFile() ? parseJson(await readFile(record, 'utf8')) : undefined);
  if (!data) throw new Error(`${record} is not a record of this release: the recording is left as it is.`);
  return data;
}

/** Replaces the record; afterwards it is on the disk. */
export async function writeRecord(disk: FileSystem, recording: Recording, record: ArchiveRecord): Promise<void> {
  const part = `${recording.record}${PART}`;
  await disk.write(part, `${JSON.stringify(record, null, 2)}\n`);
  await disk.sync(part);
  await disk.rename(part, recording.record);
  await disk.syncDirectory(recording.directory);
}

export async function removeRecord(disk: FileSystem, recording: Recording): Promise<void> {
  await disk.unlink(recording.record);
  await disk.syncDirectory(recording.directory);
}
