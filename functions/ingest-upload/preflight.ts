import type { S3Client } from '@aws-sdk/client-s3';
import { readRange } from '../../aws/s3.ts';
import type { Source, SourceInfo } from '../../core/contracts/rows.ts';
import type { ErrorCode } from '../../core/jobs/errors.ts';
import { inBlocks, type Read } from './blocks.ts';
import { moovIsMissing } from './boxes.ts';
import { probe } from './probe.ts';
import { sniff } from './sniff.ts';

/** What can be said of an upload before any compute is paid for. What cannot be told here is left to the worker. */
export type Finding =
  | { verdict: 'accepted'; kind?: 'video' | 'audio'; info: SourceInfo }
  | { verdict: 'refused'; code: ErrorCode; message: string };

/** MP4s need 2 to 22 KB; formats without an index would be read whole, so there it ends. */
export const BYTE_BUDGET = 2 * 1024 * 1024;
export const TIME_BUDGET_MS = 10_000;
/** Enough for every signature, and for telling text from data. */
const SNIFF_BYTES = 4096;

export async function preflight(s3: S3Client, source: Source, maxBytes: number, mayProbe: boolean): Promise<Finding> {
  const object = { bucket: source.bucket, key: source.key, versionId: source.versionId };
  return examine((start, end) => readRange(s3, object, start, end), source.size, maxBytes, mayProbe);
}

/**
 * @param size of the object, bytes.
 * @param mayProbe whether its container may be parsed too.
 */
export async function examine(read: Read, size: number, maxBytes: number, mayProbe = true): Promise<Finding> {
  if (size === 0) return refused('empty_file', 'The file is empty (0 bytes).');
  if (size > maxBytes) {
    return refused('too_large', `The file has ${size} bytes; the limit is ${maxBytes}.`);
  }
  const budgeted = inBlocks(read, size, BYTE_BUDGET);
  const start = await budgeted(0, Math.min(SNIFF_BYTES, size));
  const sniffed = sniff(start);
  if (sniffed) return refused(sniffed.code, sniffed.message);
  if (!mayProbe) return { verdict: 'accepted', info: {} };
  const found = await withinTime(
    (async () => {
      if (await moovIsMissing(budgeted, size)) {
        return refused(
          'corrupt',
          'The file is an MP4 without its index (moov): the recording or the upload was cut off.',
        );
      }
      return probe(budgeted, size);
    })().catch(() => null),
  );
  // Out of bytes, out of time, or a container that only the worker's ffprobe may know.
  return found ?? { verdict: 'accepted', info: {} };
}

function refused(code: ErrorCode, message: string): Finding {
  return { verdict: 'refused', code, message };
}

async function withinTime<Value>(work: Promise<Value>): Promise<Value | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), TIME_BUDGET_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
