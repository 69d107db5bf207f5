import type { ArchiveReason, ArchiveRefusal } from '../contracts/archive.ts';
import { jobIdFor } from '../contracts/ids.ts';
import { DROP_PREFIX } from '../contracts/keys.ts';
import type { ArchiveRow, Replaced } from '../contracts/table/archive.ts';
import { archiveDue, DUE_WORK, rowKeys } from '../contracts/table/keys.ts';
import type { MediaRow, Source } from '../contracts/table/media.ts';
import { plus } from '../time.ts';
import {
  COPY_STAYS_HOURS,
  changeBoth,
  changeRow,
  counted,
  type Due,
  deletedState,
  dueRow,
  endedRow,
  moveLookedAt,
  replaceRow,
  type Summary,
  versionsFrom,
} from './archive-rows.ts';
import type { Outcome, Write } from './change.ts';
import { uploadOf } from './sources.ts';
import { type charge, settle } from './spending.ts';

/**
 * The archive of originals in S3: every change of an ArchiveRow's state. Each is one transaction with the media item's row, on the condition
 * that both are as they were read. docs/decisions/0501-the-archive-in-s3.md
 */

/** One that cannot be looked at now is looked at again after this time. */
const AGAIN_MINUTES = 4;

/** What is known of a media item in the archive. `holds`: nothing is to be done until its upload or the policy changes. */
function standing(media: MediaRow, row: ArchiveRow | null, policy: string): 'new' | 'under way' | 'holds' {
  if (!row) return 'new';
  if (row.state === 'encoding' || row.state === 'replacing' || row.state === 'purging') return 'under way';
  if (row.source.versionId !== uploadOf(media.source).versionId) return 'new';
  // The policy of another collection would never look at it.
  if (row.state === 'due' && row.collectionId !== media.collectionId) return 'new';
  // A person's own decision does not depend on the policy.
  const isPersons = row.refusals?.some(({ reason }) => reason === 'restored');
  return row.state === 'refused' && row.policy !== policy && !isPersons ? 'new' : 'holds';
}

/** What sweep does first, of an original that was restored, or was to be moved: for another upload too, because nothing else would do it. */
const ENDINGS: Readonly<Record<string, string>> = {
  [DUE_WORK.archiveRemove]: `the copy that it had is removed first, ${COPY_STAYS_HOURS} hours after the restore`,
  [DUE_WORK.archiveMove]: 'its move to another storage class is seen to first',
};

/** A candidate, unless it is one already, or the archive is done with it. A person may ask for one that was refused. */
export function archiveDueNow(media: MediaRow, row: ArchiveRow | null, due: Due): Outcome<{ row: ArchiveRow }> {
  if (media.state === 'deleting' || media.state === 'uploading') return { refused: `the media item is ${media.state}` };
  const known = standing(media, row, due.policy);
  const ending = known === 'new' || row?.state === 'refused' ? ENDINGS[row?.todo ?? ''] : undefined;
  if (ending !== undefined) return { refused: ending };
  const again = due.asked && (row?.state === 'refused' || row?.state === 'due');
  if (known === 'under way' || (known === 'holds' && !again)) return { refused: `it is ${row?.state}` };
  if (media.source.archivedFrom) return { refused: 'it is archived' };
  const after = dueRow(media, due);
  return { change: changeBoth(media, row, after), row: after };
}

/** One that is due is about another upload now, or in another collection. */
export function archiveMoved(
  row: ArchiveRow,
  media: MediaRow,
  { policy, now }: { policy: string; now: string },
): Outcome {
  if (row.state !== 'due') return { refused: `it is ${row.state}` };
  const asked = row.asked && { asked: row.asked };
  return { change: changeBoth(media, row, dueRow(media, { policy, now, todoAt: now, ...asked })) };
}

/** Its media item is deleted: nothing that is under way for it counts any more. */
export function archiveOver(row: ArchiveRow, now: string): Outcome {
  if (row.state !== 'encoding' && row.state !== 'replacing') return { refused: `it is ${row.state}` };
  const refusals: ArchiveRefusal[] = [{ reason: 'source_changed', detail: 'The media item was deleted.' }];
  return {
    change: [replaceRow(row, endedRow(row, { policy: row.policy, refusals, now })), ...settled(row, undefined)],
  };
}

/** The engine job that has the claim is another one than the row names. */
export function archiveClaimed(row: ArchiveRow, engineJobId: string): Outcome {
  if (row.state !== 'encoding' || row.engineJobId === engineJobId) return { refused: 'it is known' };
  return { change: changeRow(row, { engineJobId }) };
}

/** A version made from another upload is shown: what the archive knows is of the one before. */
export function archiveAnew(
  media: MediaRow,
  source: Source,
  now: string,
): { archive: Summary; writes: Write[] } | null {
  const { archive, creatorId, collectionId, mediaId } = media;
  if (!archive || archive.versionId === source.versionId || media.source.archivedFrom) return null;
  // Those under way notice it themselves, and the rest is due already.
  if (['due', 'encoding', 'replacing', 'purging'].includes(archive.state)) return null;
  // The version of before loses its tag first: sweep does that, and the new one is a candidate then.
  if (archive.state === 'moving') {
    return { archive, writes: [moveLookedAt(media, now)] };
  }
  // Its copy is removed first, by which it becomes a candidate.
  if (archive.reason === 'restored') {
    const set = { todo: DUE_WORK.archiveRemove, todoAt: plus(now, { hours: COPY_STAYS_HOURS }) };
    const expect = { type: 'archive', state: archive.state } as const;
    return { archive, writes: [{ op: 'update', key: rowKeys.archive(mediaId), expect, set }] };
  }
  const is: Summary = { state: 'due', versionId: source.versionId ?? '', collectionId };
  const write: Write = {
    op: 'update',
    key: rowKeys.archive(mediaId),
    expect: { type: 'archive', state: archive.state },
    set: {
      state: 'due',
      at: now,
      source,
      collectionId,
      policy: '',
      todo: archiveDue(creatorId, collectionId),
      todoAt: now,
    },
    remove: [...OF_THE_LAST],
  };
  return { archive: is, writes: [write, ...counted(media, is, now)] };
}

/** What a row knows of an upload that it is no longer about. */
const OF_THE_LAST = [
  ...(['asked', 'engineJobId', 'submittingUntil', 'stopAt', 'startedAt', 'failures', 'tooShortMs', 'waits'] as const),
  ...(['charged', 'refusals', 'replaced', 'archivedAt', 'deleteAfter', 'kept', 'deletedAt'] as const),
  ...(['storageClass', 'copyClass', 'restoring', 'uploadId'] as const),
] as const;

/** Why no copy of a media item's original is made now; null where one may be. */
export function whyNotArchived(media: MediaRow): string | null {
  if (media.state !== 'ready') return `the media item is ${media.state}`;
  if (media.pending) return 'a newer upload waits to be encoded';
  if (media.scheduleRetranscode) return 'it is to be encoded again first';
  if (media.originalDeletedAt !== undefined) return 'its original is deleted';
  if (media.source.archivedFrom) return 'it is archived';
  if (!media.source.key.startsWith(DROP_PREFIX)) return 'its original is not an upload';
  // A later upload that failed has the place of what viewers see.
  if (media.current?.source?.versionId !== media.source.versionId)
    return 'its last upload is not the one that is shown';
  return null;
}

/** Whether S3 can name what is kept: a version that nothing replaces. `null` is of a bucket whose versioning is suspended. */
export function hasVersion({ versionId }: Source): boolean {
  return versionId !== undefined && versionId !== 'null';
}

/** A worker is to make the copy. `jobId` is the next of its media item's, so that no two jobs of it have one. */
export function archiveStarted(
  row: ArchiveRow,
  media: MediaRow,
  how: {
    policy: string;
    stopAt?: string | undefined;
    now: string;
    submittingUntil: string;
    keepOriginalDays: number;
    /** A person has asked for a run of a collection whose archive is off: that counts for what it has begun. */
    asked?: true;
    /** Where the copy goes later, and where the original goes if no copy can be made. */
    classes?: Pick<ArchiveRow, 'storageClass' | 'copyClass'>;
    charge: ReturnType<typeof charge>;
  },
): Outcome<{ row: ArchiveRow }> {
  if (row.state !== 'due') return { refused: `it is ${row.state}` };
  const why = whyNotArchived(media);
  if (why !== null) return { refused: why };
  const { now, stopAt, submittingUntil, policy, keepOriginalDays } = how;
  const asked = row.asked ?? how.asked;
  const n = media.jobCount + 1;
  const after: ArchiveRow = {
    ...dueRow(media, { policy, now, ...(asked && { asked }) }),
    ...{ state: 'encoding', jobId: jobIdFor(media.mediaId, n), submittingUntil, keepOriginalDays, ...how.classes },
    ...(stopAt !== undefined && { stopAt }),
    ...(row.failures !== undefined && { failures: row.failures }),
    ...(row.tooShortMs !== undefined && { tooShortMs: row.tooShortMs }),
    ...(how.charge && { charged: how.charge.charged }),
    ...{ todo: DUE_WORK.archiveJob, todoAt: submittingUntil },
  };
  const change = [...changeBoth(media, row, after, { jobCount: n }), ...(how.charge?.adds ?? [])];
  return { change, row: after };
}

/** The engine has the job. */
export function archiveSubmitted(row: ArchiveRow, engineJobId: string, now: string): Outcome {
  if (row.state !== 'encoding' || row.engineJobId !== undefined) return { refused: `it is ${row.state}` };
  return {
    change: changeRow(row, { engineJobId, todoAt: plus(now, { minutes: AGAIN_MINUTES }) }, ['submittingUntil']),
  };
}

/** Nothing new: it is looked at again later. */
export function archiveWaits(
  row: ArchiveRow,
  set: Partial<Pick<ArchiveRow, 'todoAt' | 'waits' | 'startedAt' | 'submittingUntil'>>,
): Outcome {
  if (row.todo === undefined) return { refused: 'nothing waits for it' };
  const remove: (keyof ArchiveRow)[] = set.waits === undefined && row.waits !== undefined ? ['waits'] : [];
  return { change: changeRow(row, set, remove) };
}

/** An attempt has ended without an answer, or was stopped: it begins anew at `todoAt`. */
export function archiveUndone(
  row: ArchiveRow,
  media: MediaRow,
  how: {
    waits: string;
    todoAt: string;
    failures?: number;
    tooShortMs?: number;
    cost?: { usd: number; vcpuSeconds: number } | undefined;
    now: string;
  },
): Outcome {
  if (row.state !== 'encoding' && row.state !== 'replacing') return { refused: `it is ${row.state}` };
  const { waits, todoAt, now, failures = row.failures, tooShortMs = row.tooShortMs } = how;
  const after: ArchiveRow = {
    ...dueRow(media, { policy: row.policy, now, todoAt }),
    ...(row.asked && { asked: row.asked }),
    ...(failures !== undefined && { failures }),
    ...(tooShortMs !== undefined && { tooShortMs }),
    ...{ waits, todoAt },
  };
  return { change: [...changeBoth(media, row, after), ...settled(row, how.cost)] };
}

function settled(row: ArchiveRow, cost: { usd: number; vcpuSeconds: number } | undefined): Write[] {
  return settle(row, cost)?.adds ?? [];
}

/** The original stays as it is, or goes to the class of the policy, unless there is another one by now. */
export function archiveRefused(
  row: ArchiveRow,
  media: MediaRow,
  how: {
    refusals: ArchiveRefusal[];
    policy?: string;
    cost?: { usd: number; vcpuSeconds: number } | undefined;
    now: string;
  },
): Outcome {
  if (row.state !== 'due' && row.state !== 'encoding' && row.state !== 'replacing')
    return { refused: `it is ${row.state}` };
  const { now, refusals, policy = row.policy } = how;
  const isOther = uploadOf(media.source).versionId !== row.source.versionId;
  const after: ArchiveRow = isOther
    ? dueRow(media, { policy, now, todoAt: now })
    : moves(row, refusals)
      ? {
          ...endedRow(row, { policy, refusals, now }),
          ...{ state: 'moving', storageClass: row.storageClass, todo: DUE_WORK.archiveMove, todoAt: now },
          ...(row.asked && { asked: row.asked }),
        }
      : endedRow(row, { policy, refusals, now });
  return { change: [...changeBoth(media, row, after), ...settled(row, how.cost)] };
}

/** What says nothing about an original, but of the machine, or of another file: S3 moves nothing back. */
const NOT_OF_IT: readonly ArchiveReason[] = ['source_changed', 'encode_failed'];

/** Whether an original of which no copy can be made goes to another class instead. */
function moves({ state, storageClass }: ArchiveRow, refusals: ArchiveRefusal[]): boolean {
  return (
    state === 'encoding' && storageClass !== undefined && !refusals.some(({ reason }) => NOT_OF_IT.includes(reason))
  );
}

/** A large copy goes to its key in parts: one run begins, and others go on. `uploadId` null: it has to begin anew. */
export function archiveCopying(
  row: ArchiveRow,
  how: { uploadId: string | null; waits?: string; now: string },
): Outcome<{ row: ArchiveRow }> {
  if (row.state !== 'replacing') return { refused: `it is ${row.state}` };
  const { uploadId, waits, now } = how;
  const { uploadId: _, waits: __, ...others } = row;
  const after = { ...others, at: now, todoAt: now, ...(uploadId !== null && { uploadId }), ...(waits && { waits }) };
  return { change: [replaceRow(row, after)], row: after };
}

/** The worker has verified a copy, which is to be copied to its own key. */
export function archiveVerified(
  row: ArchiveRow,
  media: MediaRow,
  how: { replaced: Replaced; cost?: { usd: number; vcpuSeconds: number } | undefined; now: string },
): Outcome<{ row: ArchiveRow }> {
  if (row.state !== 'encoding') return { refused: `it is ${row.state}` };
  const { replaced, now } = how;
  const { engineJobId: _, submittingUntil: __, stopAt: ___, waits: ____, charged: _____, ...kept } = row;
  const after: ArchiveRow = { ...kept, state: 'replacing', at: now, replaced, todo: DUE_WORK.archiveJob, todoAt: now };
  return { change: [...changeBoth(media, row, after), ...settled(row, how.cost)], row: after };
}

/**
 * The copy lies under its key, and S3 has the checksum of what was verified: it becomes the media item's source. The original stays where it
 * was uploaded to, as the version that `source` of the row names.
 * @param how `isGone`: S3 does not have the original any more, so that the copy is all that is left of it
 */
export function archiveReplaced(
  row: ArchiveRow,
  media: MediaRow,
  how: { versionId: string; etag: string; deleteAfter: string; isGone: boolean; now: string },
): Outcome<{ row: ArchiveRow }> {
  const { replaced, source } = row;
  if (row.state !== 'replacing' || !replaced) return { refused: `it is ${row.state}` };
  const why = whyNotArchived(media);
  if (why !== null) return { refused: why };
  if (media.source.versionId !== source.versionId || source.versionId === undefined)
    return { refused: 'another upload is known' };
  const { versionId, etag, deleteAfter, isGone, now } = how;
  const { copy } = replaced;
  const { key, size } = source;
  const isSource = { ...media.source, key: copy.key, versionId, size: copy.bytes, etag };
  const archivedFrom = { key, versionId: source.versionId, size, etag: source.etag };
  const { waits: _, todo: __, todoAt: ___, uploadId: ____, ...kept } = row;
  const after: ArchiveRow = {
    ...{ ...kept, at: now, archivedAt: now, replaced: { ...replaced, copy: { ...copy, versionId } } },
    ...(isGone
      ? deletedState(row, now)
      : { state: 'archived', deleteAfter, todo: DUE_WORK.archivePurge, todoAt: deleteAfter }),
  };
  const set = { source: { ...isSource, archivedFrom }, ...versionsFrom(media, source.versionId, isSource) };
  return { change: changeBoth(media, row, after, set), row: after };
}
