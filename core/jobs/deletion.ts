import { DUE_WORK, rowKeys } from '../contracts/table/keys.ts';
import { isUndeletable, type MediaRow, type Source, type TombstoneRow } from '../contracts/table/media.ts';
import { epochSeconds } from '../time.ts';
import { counted } from './archive-rows.ts';
import type { Outcome } from './change.ts';
import { changeMedia } from './rows.ts';
import { uploadOf } from './sources.ts';

/** Longer than caches keep the objects of a version: a year. */
const TOMBSTONE_DAYS = 400;

/**
 * Marks a media item for deletion: after this none of its jobs is published, and sweep removes its objects, then its rows.
 * @param newest the newest version of its upload, read after `media`: a later version is another upload
 */
export function markDeleting(media: MediaRow, now: string, newest?: string): Outcome {
  if (media.state === 'deleting') return { refused: 'marked before' };
  const set: Partial<MediaRow> = {
    state: 'deleting',
    scheduleRetranscode: false,
    todo: DUE_WORK.delete,
    todoAt: now,
    ...(newest !== undefined && { deleteThrough: newest }),
    ...((media.state === 'ready' || media.state === 'failed') && {
      deletion: { from: media.state, flagged: isFlagged(media) },
    }),
  };
  return { change: [changeMedia(media, now, set)] };
}

/** A flag of a roll-out alone is not put back: the roll-out has passed over what was being deleted. */
function isFlagged({ scheduleRetranscode, flaggedByRollOut }: MediaRow): boolean {
  return scheduleRetranscode && flaggedByRollOut === undefined;
}

/** Takes the mark back, as long as sweep has not begun. */
export function undoDeletion(media: MediaRow, now: string): Outcome {
  const { deletion } = media;
  if (!isUndeletable(media) || !deletion) return { refused: 'it cannot be taken back' };
  const flag: Partial<MediaRow> = deletion.flagged
    ? { scheduleRetranscode: true, todo: DUE_WORK.retranscode, todoAt: now }
    : {};
  const gone = deletion.flagged ? [] : (['todo', 'todoAt'] as const);
  const update = changeMedia(media, now, { state: deletion.from, ...flag }, ['deletion', 'deleteThrough', ...gone]);
  return {
    change: [{ ...update, expect: { ...update.expect, removing: null, uploadedAgain: media.uploadedAgain ?? null } }],
  };
}

/** Begins the removal, which nothing takes back. Done again, it changes nothing. */
export function beginRemoval(media: MediaRow): Outcome {
  if (media.state !== 'deleting') return { refused: `the media item is ${media.state}` };
  const expect = { state: media.state, seq: media.seq };
  return { change: [{ op: 'update', key: rowKeys.media(media.mediaId), expect, set: { removing: true } }] };
}

/** The newest of an upload's versions, the newest first, that will be there: one that sweep is deleting for the archive may be gone by then. */
export function newestLeft({ archive }: MediaRow, versions: readonly string[]): string | undefined {
  return versions.find((version) => archive?.state !== 'purging' || version !== archive.versionId);
}

/**
 * Which versions, the newest first, go with a media item: those from the newest at its deletion on, and its archived original. In front of them
 * are uploads that came later.
 */
export function versionsOf(media: MediaRow, versions: readonly string[]): string[] {
  const through = lastVersionOf(media);
  const at = through === undefined ? -1 : versions.indexOf(through);
  const original = media.source.archivedFrom?.versionId;
  return versions.filter((version, i) => (at >= 0 && i >= at) || version === original);
}

/** The newest version of the upload that is removed with the media item; the versions that S3 lists after it are removed too. */
export function lastVersionOf({ deleteThrough, pending, source }: MediaRow): string | undefined {
  return deleteThrough ?? uploadOf(pending?.source ?? source).versionId;
}

/** Whether a version of its upload is one that the media item was made from, or the last that is removed with it. */
export function isOwn(media: MediaRow, { versionId }: Pick<Source, 'versionId'>): boolean {
  return versionId === lastVersionOf(media) || versionId === uploadOf(media.source).versionId;
}

/** An upload whose key has a media item that is being deleted: it has to wait, and must not be forgotten. */
export function uploadWaits(media: MediaRow, newest: Source): Outcome {
  if (media.state !== 'deleting') return { refused: `the media item is ${media.state}` };
  if (isOwn(media, newest)) return { refused: 'the media item is being deleted' };
  if (media.uploadedAgain) return { refused: 'it waits already' };
  const key = rowKeys.media(media.mediaId);
  return {
    change: [{ op: 'update', key, expect: { state: 'deleting', seq: media.seq }, set: { uploadedAgain: true } }],
  };
}

/**
 * The last change of a deleted media item. Its numbers are not reused: caches may hold what was under `v{n}`, and receivers of
 * webhooks drop what is not newer than the last event that they know.
 */
export function finishDeletion(media: MediaRow, now: string): Outcome {
  if (media.state !== 'deleting') return { refused: `the media item is ${media.state}` };
  const expiresAt = epochSeconds(now, { days: TOMBSTONE_DAYS });
  // The removal of the row is announced with the next number.
  const set: TombstoneRow = { type: 'tombstone', jobCount: media.jobCount, seq: media.seq + 1, expiresAt };
  return {
    change: [
      {
        op: 'remove',
        key: rowKeys.media(media.mediaId),
        // An upload that was noted after the row was read is handled first.
        expect: { state: 'deleting', seq: media.seq, uploadedAgain: media.uploadedAgain ?? null },
      },
      { op: 'update', key: rowKeys.tombstone(media.mediaId), expect: {}, set },
      { op: 'remove', key: rowKeys.archive(media.mediaId), expect: {} },
      ...counted(media, undefined, now),
    ],
  };
}

/** The uploaded version that the media item was made from is removed, as its collection asks. */
export function originalDeleted(media: MediaRow, versionId: string, now: string): Outcome {
  if (media.state === 'deleting') return { refused: 'the media item is being deleted' };
  if (media.source.versionId !== versionId) return { refused: 'another upload is known' };
  if (media.originalDeletedAt !== undefined) return { refused: 'noted before' };
  const expect = { state: media.state, seq: media.seq, 'source.versionId': versionId, originalDeletedAt: null };
  const set = { originalDeletedAt: now, updatedAt: now };
  return { change: [{ op: 'update', key: rowKeys.media(media.mediaId), expect, set }] };
}
