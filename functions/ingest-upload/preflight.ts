import type { S3Client } from '@aws-sdk/client-s3';
import { readRange } from '../../aws/s3.ts';
import { unreadable } from '../../aws/unreadable.ts';
import type { Source } from '../../core/contracts/table/media.ts';
import { mayBeReadInPlace } from '../../core/media/in-place.ts';
import { isPlainText, SNIFF_BYTES, sniff } from '../../core/media/sniff.ts';
import { inBlocks, type Read } from './blocks.ts';
import { type Finding, refused } from './finding.ts';
import { parseApart } from './parse-apart.ts';

/** MP4s need 2 to 22 KB; formats without an index would be read whole, so parsing stops there. */
const BYTE_BUDGET = 2 * 1024 * 1024;

export interface Preflight {
  maxUploadBytes: number;
  /** Path of the built probe.child.mjs; absent where the container is not to be parsed. */
  parser?: string | undefined;
}

export async function preflight(s3: S3Client, source: Source, options: Preflight): Promise<Finding> {
  const object = { bucket: source.bucket, key: source.key, versionId: source.versionId };
  try {
    return await examine((start, end) => readRange(s3, object, start, end), source.size, options);
  } catch (error) {
    const why = unreadable(error);
    if (why === null) throw error;
    return refused('source_unreadable', why);
  }
}

/** @param size of the object, bytes. */
export async function examine(read: Read, size: number, { maxUploadBytes, parser }: Preflight): Promise<Finding> {
  if (size === 0) return refused('empty_file', 'The file is empty (0 bytes).');
  if (size > maxUploadBytes) {
    return refused('too_large', `The file has ${size} bytes; the limit is ${maxUploadBytes}.`);
  }
  const budgeted = inBlocks(read, size, BYTE_BUDGET);
  const start = await budgeted(0, Math.min(SNIFF_BYTES, size));
  const sniffed = sniff(start);
  if (sniffed) return refused(sniffed.code, sniffed.message);
  if (isPlainText(start)) return refused('not_media', 'The file is text, not video or audio.');
  const found = parser === undefined ? null : await parseApart(parser, budgeted, size);
  // Out of bytes, out of time, or a container that only the worker's ffprobe may know.
  const finding = found ?? { info: {} };
  return 'info' in finding && mayBeReadInPlace(start, size) ? { ...finding, inPlace: true } : finding;
}
