import { CHORE, type MediaRow } from '../contracts/rows.ts';
import type { Outcome } from './change.ts';
import { changeMedia } from './rows.ts';

/** Marks a media for deletion: from here on no job of it is published, and sweep removes its objects, then its rows. */
export function markDeleting(media: MediaRow, now: string): Outcome {
  if (media.state === 'deleting') return { none: 'marked before' };
  const set: Partial<MediaRow> = { state: 'deleting', scheduleRetranscode: false, todo: CHORE.delete, todoAt: now };
  return { change: [changeMedia(media, now, set)] };
}
