import { join } from 'node:path';
import { compareFiles, qualityFaults } from '../../../core/archive/compare.ts';
import { refusal } from '../../../core/archive/fitness.ts';
import { type Description, type Inspection, videosOf } from '../../../core/archive/inspection.ts';
import type { ArchiveRefusal, EncodePolicy, Quality } from '../../../core/contracts/archive.ts';
import { hasCaptions } from '../captions.ts';
import { confined } from '../ffmpeg/demuxers.ts';
import { complaintOf, type Host, type MediaFile, onlyFaultsOfFile } from './host.ts';
import { describeFile, inspectFile } from './inspect.ts';
import { measureQuality } from './quality.ts';

/** What is wrong with a file when it is decoded to its end; undefined where nothing is. */
export function decodeFault(host: Host, file: MediaFile, description: Description): Promise<string | undefined> {
  const sound = description.streams.filter(({ codec_type }) => codec_type === 'audio');
  const maps = [...videosOf(description), ...sound].flatMap(({ index }) => ['-map', `0:${index}`]);
  const strict = ['-xerror', '-err_detect', 'explode', ...confined(), '-i', `./${file.name}`];
  return complaintOf(host, file, [...strict, ...maps, '-fps_mode', 'passthrough', '-f', 'null', '-']);
}

export interface Pair {
  /** Both files are in it. */
  directory: string;
  original: string;
  archived: string;
}

/** Whether an encoder carries captions depends on the encoder and on FFmpeg's release, and no header names them. */
async function captionsFault(
  { directory, ...pair }: Pair,
  before: Description,
  after: Description,
): Promise<ArchiveRefusal | undefined> {
  const has = (name: string, description: Description) =>
    hasCaptions(join(directory, name), videosOf(description)[0]?.codec_name ?? '');
  if (!(await has(pair.original, before)) || (await has(pair.archived, after))) return undefined;
  return refusal('captions', 'They are CEA-608 or CEA-708 in the pictures of the original.');
}

/** What was found, with the quality where all else is right. */
export interface Verification {
  refusals: ArchiveRefusal[];
  quality?: Quality;
}

/**
 * Compares a new file with the original in all that archiving promises; cheap checks first, and those that need equal files only where they
 * are.
 * @throws the signal's reason, or Error where the machine is at fault
 */
export async function verifyArchived(
  host: Host,
  pair: Pair,
  against: { before: Inspection; policy: EncodePolicy },
): Promise<Verification> {
  return compare(host, pair, against).catch((error: unknown) => {
    // Not thrown: it would be encoded again every night.
    return { refusals: [refusal('new_file_damaged', onlyFaultsOfFile(error))] };
  });
}

async function compare(
  host: Host,
  pair: Pair,
  { before, policy }: { before: Inspection; policy: EncodePolicy },
): Promise<Verification> {
  const file = { directory: pair.directory, name: pair.archived };
  const description = await describeFile(host, file);
  if (!description) return { refusals: [refusal('new_file_damaged', 'FFmpeg cannot read it.')] };
  const after = await inspectFile(host, file, description);
  const refusals = compareFiles(before, after, policy);
  if (refusals.length > 0) return { refusals };
  const lost = await captionsFault(pair, before.description, description);
  if (lost) return { refusals: [lost] };
  host.signal.throwIfAborted();
  const fault = await decodeFault(host, file, description);
  if (fault !== undefined) return { refusals: [refusal('new_file_damaged', fault)] };
  const quality = await measureQuality(host, pair, { before, after });
  return { refusals: qualityFaults(quality, policy), quality };
}
