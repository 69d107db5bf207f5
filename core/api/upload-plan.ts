import { SINGLE_PUT_MAX } from '../contracts/http/uploads.ts';

const MIB = 1024 * 1024;
/** S3's limits: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MAX_PARTS = 10_000;
/** Large enough that the overhead of a part's request is small, small enough to lose little when the connection breaks. */
const PART_SIZE = 16 * MIB;
/** Bytes of UTF-8; an S3 key has at most 1024, and ids and slashes take less than 200 of them. */
const MAX_NAME_BYTES = 200;

/** Null for a single PUT. */
export function planParts(size: number): { partSize: number; partCount: number } | null {
  if (size <= SINGLE_PUT_MAX) return null;
  const partSize = Math.max(PART_SIZE, Math.ceil(size / MAX_PARTS / MIB) * MIB);
  return { partSize, partCount: Math.ceil(size / partSize) };
}

export function partSizeOf(partNumber: number, size: number, plan: { partSize: number; partCount: number }): number {
  return partNumber === plan.partCount ? size - plan.partSize * (plan.partCount - 1) : plan.partSize;
}

/** Numbers from 1 to `partCount` that have not been received, at most `limit`. */
export function missingParts(partCount: number, received: readonly number[], limit: number): number[] {
  const there = new Set(received);
  const missing: number[] = [];
  for (let n = 1; n <= partCount && missing.length < limit; n += 1) if (!there.has(n)) missing.push(n);
  return missing;
}

/** Whether a MIME type is on a comma-separated list that may hold wildcards like `video/*`. */
export function isAllowedType(contentType: string, allowed: string): boolean {
  const type = contentType.toLowerCase();
  return allowed
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => (entry.endsWith('/*') ? type.startsWith(entry.slice(0, -1)) : type === entry));
}

/** The last part of an untrusted path, without control characters, cut to 200 bytes; its extension is kept. */
export function safeFileName(fileName: string): string {
  const last = fileName.split(/[/\\]/).filter(Boolean).at(-1) ?? '';
  // \p{C} includes lone surrogates, which UTF-8 cannot encode.
  const clean = last.replace(/\p{C}/gu, '').replace(/^[.\s]+|[.\s]+$/g, '');
  if (!clean) return 'upload';
  const extension = /\.[A-Za-z0-9]{1,10}$/.exec(clean)?.[0] ?? '';
  const stem = extension ? clean.slice(0, -extension.length) : clean;
  return cutToBytes(stem, MAX_NAME_BYTES - extension.length) + extension;
}

function cutToBytes(text: string, bytes: number): string {
  const encoder = new TextEncoder();
  let length = 0;
  let cut = '';
  for (const char of text) {
    length += encoder.encode(char).length;
    if (length > bytes) break;
    cut += char;
  }
  return cut;
}
