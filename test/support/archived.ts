import { utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DISK, type FileSystem } from '../../cli/archive/file-system.ts';
import { type Recording, recordingAt, sha256Of, statOf, versionOf } from '../../cli/archive/recording.ts';
import { writeRecord } from '../../cli/archive/records.ts';
import { replace } from '../../cli/archive/replace.ts';
import { ArchivePolicy } from '../../core/contracts/archive.ts';

/** A recording of a few bytes and the verified new file beside it, as they are before the replacement. */

/** Without what a killed process does not undo anyway, and what takes its time. */
export const QUICK: FileSystem = {
  ...DISK,
  sync: async () => {},
  syncDirectory: async () => {},
  copyAttributes: async () => {},
};

export const [ORIGINAL, ARCHIVED] = ['the original, which is long', 'the new file'];
export const policy = ArchivePolicy.parse({});
export const NOW = '2026-11-29T02:00:00.000Z';
/** After `deleteAfter`. */
export const LATER = '2026-12-01T02:00:00.000Z';

export async function library(directory: string): Promise<Recording> {
  const recording = recordingAt(join(directory, 'a.mp4'));
  await writeFile(recording.path, ORIGINAL);
  await utimes(recording.path, 1_700_000_000, 1_700_000_000);
  await writeRecord(QUICK, recording, { state: 'encoding', at: NOW, temporary: 'a.transcoding.mp4' });
  await writeFile(recording.temporary, ARCHIVED);
  return recording;
}

export async function replaceIt(disk: FileSystem, recording: Recording): Promise<void> {
  const stats = await statOf(recording.path);
  await replace(disk, recording, {
    ...{ version: stats ? versionOf(stats) : '', sha256: await sha256Of(recording.path), encoder: 'libx265', at: NOW },
    ...{ ffmpeg: '7.1', deleteAfter: '2026-11-30T02:00:00.000Z', check: async () => {} },
    quality: { mean: 0.98, worstSecond: 0.97, worstAt: 0, worstPicture: 0.96, median: 0.98, psnr: 38 },
  });
}
