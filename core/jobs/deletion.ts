import { CHORE, type MediaRow, rowKeys, type TombstoneRow } from '../contracts/rows.ts';
import type { Outcome } from './change.ts';
import { changeMedia } from './rows.ts';

/** Longer than caches keep the objects of a version: a year. */
const TOMBSTONE_DAYS = 400;

/** Marks a media for deletion: from here on no job of it is published, and sweep removes its objects, then its rows. */
export function markDeleting(media: MediaRow, now: string): Outcome {
  if (media.state === 'deleting') return { none: 'marked before' };
  const set: Partial<MediaRow> = { state: 'deleting', scheduleRetranscode: false, todo: CHORE.delete, todoAt: now };
  return { change: [changeMedia(media, now, set)] };
}

/**
 * The last of a deleted media. Its numbers are not given again: caches may hold what lay under `v{n}`, and receivers of
 * webhooks drop what is not newer than the last that they know.
 */
export function bury(media: MediaRow, now: string): Outcome {
  if (media.state !== 'deleting') return { none: `the media is ${media.state}` };
  const expiresAt = Math.floor(Date.parse(now) / 1000) + TOMBSTONE_DAYS * 86_400;
  // That the row is gone is announced with the next number.
  const set: TombstoneRow = { type: 'tombstone', jobCount: media.jobCount, seq: media.seq + 1, expiresAt };
  return {
    change: [
      { op: 'remove', key: rowKeys.media(media.mediaId), expect: { state: 'deleting', seq: media.seq } },
      { op: 'update', key: rowKeys.tombstone(media.mediaId), expect: {}, set },
    ],
  };
}
