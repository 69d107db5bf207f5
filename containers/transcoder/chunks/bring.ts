import { createWriteStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { eachLimit } from '../../../aws/concurrency.ts';
import { DropreelError } from '../../../core/contracts/errors.ts';
import { FILES } from '../../../core/contracts/outputs.ts';
import type { Chunk } from '../../../core/media/chunk.ts';
import {
  type ChunkRendition,
  type EncodedChunk,
  type EncodedSound,
  lastDurations,
} from '../../../core/media/chunk-record.ts';
import { holdsThumbnail } from '../../../core/media/chunks.ts';
import type { EncodePlan } from '../../../core/media/encode-plan.ts';
import { readInit } from '../../../core/media/fragments.ts';
import { withFile } from '../box-walk.ts';
import { Crc64Nvme } from '../crc64nvme.ts';
import { pictureFiles } from '../ffmpeg/arguments.ts';
import type { Scratch } from '../scratch.ts';
import { wholeName } from '../split.ts';

/** Opens a file of a chunk, or of the sound; with its checksum, where it has crossed S3. */
export type OpenPart = (
  part: number | 'sound',
  name: string,
) => Promise<{ bytes: Readable; crc64nvme?: string | undefined }>;

/** Name of the file with the times of a chunk's pictures. */
export const TIMES_FILE = 'pictures.times';

/** Files that are joined at once. */
const AT_ONCE = 8;

export interface Parts {
  cut: readonly Chunk[];
  chunks: readonly EncodedChunk[];
  sound: EncodedSound;
  open: OpenPart;
}

/**
 * Brings the parts of a film to the scratch disk, as the files that an encode of the whole would have left there: of each rendition one, with
 * one init segment and the fragments of all chunks, the last of each lasting until the next chunk's first picture.
 * @throws DropreelError `verify_failed` for a file that is not as its record has it
 */
export async function bringParts(plan: EncodePlan, { out, times }: Scratch, parts: Parts, signal: AbortSignal) {
  const { cut, sound, open: openPart } = parts;
  // Each file is written in order, beside the others: of a thousand chunks, it is the time to the first byte that counts.
  const joins = pictureFiles(plan).map((file) => () => {
    return joinRendition(plan, join(out, wholeName(file)), file, parts, signal);
  });
  await eachLimit([...joins, () => joinTimes(times, parts, signal)], AT_ONCE, (one) => one());
  for (const { file, bytes } of sound.renditions) {
    const target = join(out, wholeName(file));
    await append(await openPart('sound', wholeName(file)), file, { path: target, first: true, from: 0, signal });
    await expectSize(target, file, bytes);
  }
  const holder = cut.find((chunk) => holdsThumbnail(plan, chunk));
  if (!holder) return;
  const { file } = FILES.thumbnail;
  await append(await openPart(holder.index, file), file, { path: join(out, file), first: true, from: 0, signal });
}

async function joinTimes(path: string, { chunks, open: openPart }: Parts, signal: AbortSignal): Promise<void> {
  let size = 0;
  for (const { index, pictures } of chunks) {
    const what = `${TIMES_FILE} of chunk ${index}`;
    // An empty file is not in S3.
    if (pictures === 0) continue;
    await append(await openPart(index, TIMES_FILE), what, { path, first: size === 0, from: 0, signal });
    size += 8 * pictures;
    await expectSize(path, what, size);
  }
}

async function joinRendition(
  plan: EncodePlan,
  path: string,
  file: string,
  { chunks, open: openPart }: Parts,
  signal: AbortSignal,
): Promise<void> {
  const pieces = chunks.flatMap(({ index, renditions }) => {
    const rendition = renditions.find((one) => one.file === file);
    return rendition ? [{ index, rendition }] : [];
  });
  let size = 0;
  const places: number[] = [];
  for (const { index, rendition } of pieces) {
    const from = size === 0 ? 0 : rendition.initBytes;
    places.push(size - from + rendition.lastDurationAt);
    const what = `${file} of chunk ${index}`;
    await append(await openPart(index, wholeName(file)), what, { path, first: size === 0, from, signal });
    size += rendition.bytes - from;
    await expectSize(path, what, size);
  }
  await lengthen(
    plan,
    path,
    pieces.map(({ rendition }) => rendition),
    places,
  );
}

/** Writes how long the last picture of each chunk lasts. */
async function lengthen(plan: EncodePlan, path: string, pieces: readonly ChunkRendition[], places: readonly number[]) {
  const initBytes = pieces[0]?.initBytes ?? 0;
  const { timescale } = await withFile(path, async (bytes) => readInit(await bytes.read(0, initBytes)));
  const durations = lastDurations(pieces, Math.round((plan.video?.lastFrameSeconds ?? 0) * timescale));
  const handle = await open(path, 'r+');
  try {
    for (const [i, duration] of durations.entries()) {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(duration);
      await handle.write(bytes, 0, 4, places[i] ?? 0);
    }
  } finally {
    await handle.close();
  }
}

interface Appended {
  path: string;
  /** Whether the file begins with it. */
  first: boolean;
  /** How many of its bytes are left out. */
  from: number;
  signal: AbortSignal;
}

/** Writes a part's file at the end of another. @throws DropreelError `storage_failed` where it is not what was written */
async function append(
  { bytes, crc64nvme }: Awaited<ReturnType<OpenPart>>,
  what: string,
  { path, first, from, signal }: Appended,
): Promise<void> {
  const crc = new Crc64Nvme();
  const wanted = async function* (pieces: AsyncIterable<Buffer>) {
    let skip = from;
    for await (const piece of pieces) {
      if (crc64nvme !== undefined) crc.update(piece);
      const rest = piece.subarray(skip);
      skip -= piece.length - rest.length;
      if (rest.length > 0) yield rest;
    }
  };
  await pipeline(bytes, wanted, createWriteStream(path, { flags: first ? 'w' : 'a' }), { signal });
  if (crc64nvme === undefined || crc.digest() === crc64nvme) return;
  throw new DropreelError('storage_failed', `${what} does not match its CRC64NVME checksum after it was read.`);
}

async function expectSize(path: string, what: string, bytes: number): Promise<void> {
  const { size } = await stat(path);
  if (size === bytes) return;
  throw new DropreelError('verify_failed', `${what} is not as it was encoded: ${size} bytes in place of ${bytes}.`);
}
