import { z } from 'zod';

/** Creator and collection ids are path segments of S3 keys and URLs, so they keep to characters that need no escaping. */
const Segment = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);

export const CreatorId = Segment;

/**
 * A creator's objects lie under their id, beside `tmp/` (expires), `private/` and the pages: no new creator gets one of these. Rows may
 * have them, because earlier releases reserved fewer.
 */
const RESERVED = ['tmp', 'private', 'console', 'embed', 'player'];
export const NewCreatorId = Segment.refine((id) => !RESERVED.includes(id), 'is reserved');
export const CollectionId = Segment;

/** 26 characters of lower-case base32 (130 bits of a SHA-256): see mediaIdFor. */
export const MediaId = z.string().regex(/^[a-z2-7]{26}$/);

/** `{mediaId}-{n}`, where n counts the media's jobs from 1. It is the name of the AWS Batch job too. */
export const JobId = z.string().regex(/^[a-z2-7]{26}-[1-9][0-9]{0,5}$/);

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** The id of the media item at an upload key: the same bucket and key always give the same id. */
export function mediaIdFor(bucket: string, key: string): Promise<string> {
  return digestOf(`${bucket}\n${key}`, 26);
}

const MAPPED = /^u-[a-z2-7]{32}$/;

/**
 * The creator that a token's subject identifies: the subject itself where it is a creator id, else `u-` and 160 bits of its SHA-256.
 * A subject that looks like such a hash is hashed too, so that no two subjects give one creator.
 */
export async function creatorIdFor(subject: string): Promise<string> {
  if (NewCreatorId.safeParse(subject).success && !MAPPED.test(subject)) return subject;
  return `u-${await digestOf(subject, 32)}`;
}

/** This many characters of lower-case base32 of a SHA-256, five bits each. */
async function digestOf(text: string, length: number): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  const bits = [...new Uint8Array(digest)].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return Array.from({ length }, (_, i) => ALPHABET[Number.parseInt(bits.slice(i * 5, i * 5 + 5), 2)]).join('');
}

export function jobIdFor(mediaId: string, n: number): string {
  return `${mediaId}-${n}`;
}

/**
 * Splits a job id.
 * @throws Error for text that JobId does not accept
 */
export function parseJobId(jobId: string): { mediaId: string; n: number } {
  JobId.parse(jobId);
  return { mediaId: jobId.slice(0, 26), n: Number(jobId.slice(27)) };
}

/** `wh_` and 16 characters of base32. */
export const EndpointId = z.string().regex(/^wh_[a-z2-7]{16}$/);

/** `evt_{mediaId}_{seq}`: the same for every attempt and replay, so that receivers can drop duplicates. */
export const EventId = z.string().regex(/^evt_[a-z2-7]{26}_[0-9]{1,10}$/);

/** `{milliseconds of the change since the epoch}-{eventId}`: sorts by time. */
export const DeliveryId = z.string().regex(/^[0-9]{13}-evt_[a-z2-7]{26}_[0-9]{1,10}$/);
