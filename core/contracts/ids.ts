import { z } from 'zod';

/** Creator and collection ids are path segments of S3 keys and URLs, so they keep to characters that need no escaping. */
const Segment = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);

/** A creator's objects lie under their id, beside the prefixes `tmp/` (expires) and `private/`: nobody may be called so. */
export const CreatorId = Segment.refine((id) => id !== 'tmp' && id !== 'private', 'is reserved');
export const CollectionId = Segment;

/** 26 characters of lower-case base32 (130 bits of a SHA-256): see mediaIdFor. */
export const MediaId = z.string().regex(/^[a-z2-7]{26}$/);

/** `{mediaId}-{n}`, n counting the media's jobs from 1. It names the AWS Batch job too. */
export const JobId = z.string().regex(/^[a-z2-7]{26}-[1-9][0-9]{0,5}$/);

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** The id of the media that lives at an upload key: the same bucket and key give the same id, for ever. */
export async function mediaIdFor(bucket: string, key: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${bucket}\n${key}`));
  const bits = [...new Uint8Array(digest)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return Array.from({ length: 26 }, (_, i) => ALPHABET[Number.parseInt(bits.slice(i * 5, i * 5 + 5), 2)]).join('');
}

export function jobIdFor(mediaId: string, n: number): string {
  return `${mediaId}-${n}`;
}

/** Splits a job id; throws on text that JobId does not accept. */
export function parseJobId(jobId: string): { mediaId: string; n: number } {
  JobId.parse(jobId);
  return { mediaId: jobId.slice(0, 26), n: Number(jobId.slice(27)) };
}
