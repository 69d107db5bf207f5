import type { ArchiveRefusal } from '../contracts/archive.ts';
import { jobIdFor } from '../contracts/ids.ts';
import { DROP_PREFIX } from '../contracts/keys.ts';
import type { ArchiveRow, Replaced } from '../contracts/table/archive.ts';
import { archiveDue, DUE_WORK, rowKeys } from '../contracts/table/keys.ts';
import type { MediaRow, PublishedVersion, Source } from '../contracts/table/media.ts';
import { plus } from '../time.ts';
import { changeBoth, changeRow, counted, replaceRow, type Summary } from './archive-rows.ts';
import type { Outcome, Write } from './change.ts';
import { uploadOf } from './sources.ts';
import { type charge, settle } from './spending.ts';

/**
 * The archive of originals in S3: every change of an ArchiveRow's state. Each is one transaction with the media item's row, on the condition
 * that both are as they were read. docs/decisions/0501-the-archive-in-s3.md
 */

/** A restored original's copy is removed later: a job, or somebody with a link, may be reading it. */
const COPY_STAYS_HOURS = 24;
/** One that cannot be looked at now is looked at again after this time. */
const AGAIN_MINUTES = 4;

type Due = Pick<ArchiveRow, 'policy'> & { asked?: true; now: string; todoAt?: string };

/** What is known of a media item in the archive. `holds`: nothing is to be done until its upload or the policy changes. */
function standing(media: MediaRow, row: ArchiveRow | null, policy: string): 'new' | 'under way' | 'holds' {
  if (!row) return 'new';
  if (row.state === 'encoding' || row.state === 'replacing' || row.state === 'purging') return 'under way';
  if (row.source.versionId !== uploadOf(media.source).versionId) return 'new';
  // A person's own decision does not depend on the policy.
  const isPersons = row.refusals?.some(({ reason }) => reason === 'restored');
  return row.state === 'refused' && row.policy !== policy && !isPersons ? 'new' : 'holds';
}

/** A candidate, unless it is one already, or the archive is done with it. A person may ask for one that was refused. */
export function archiveDueNow(media: MediaRow, row: ArchiveRow | null, due: Due): Outcome<{ row: ArchiveRow }> {
  if (media.state === 'deleting' || media.state === 'uploading') return { refused: `the media item is ${media.state}` };
  const known = standing(media, row, due.policy);
  const again = due.asked && (row?.state === 'refused' || row?.state === 'due') && row.todo !== DUE_WORK.archiveRemove;
  if (known === 'under way' || (known === 'holds' && !again)) return { refused: `it is ${row?.state}` };
  if (media.source.archivedFrom) return { refused: 'it is archived' };
  const after = dueRow(media, due);
  return { change: changeBoth(media, row, after), row: after };
}

function dueRow(media: MediaRow, { policy, asked, now, todoAt = media.createdAt }: Due): ArchiveRow {
  const { mediaId, creatorId, collectionId, source } = media;
  return {
    ...{ type: 'archive', mediaId, creatorId, collectionId, state: 'due', at: now, source, policy },
    ...(asked && { asked }),
    todo: archiveDue(creatorId, collectionId),
    todoAt: asked ? FIRST : todoAt,
  };
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

/** Before every time. */
const FIRST = '0000-01-01T00:00:00.000Z';

/** A version made from another upload is shown: what the archive knows is of the one before. */
export function archiveAnew(
  media: MediaRow,
  source: Source,
  now: string,
): { archive: Summary; writes: Write[] } | null {
  const { archive, creatorId, collectionId } = media;
  if (!archive || archive.versionId === source.versionId || media.source.archivedFrom) return null;
  // Those under way notice it themselves, and the rest is due already.
  if (['due', 'encoding', 'replacing', 'purging'].includes(archive.state)) return null;
  const is: Summary = { state: 'due', versionId: source.versionId ?? '', collectionId };
  const write: Write = {
    op: 'update',
    key: rowKeys.archive(media.mediaId),
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
  ...(['charged', 'refusals', 'replaced', 'archivedAt', 'deleteAfter', 'kept', 'deletedAt', 'storageClass'] as const),
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
    charge: ReturnType<typeof charge>;
  },
): Outcome<{ row: ArchiveRow }> {
  if (row.state !== 'due') return { refused: `it is ${row.state}` };
  const why = whyNotArchived(media);
  if (why !== null) return { refused: why };
  const { now, stopAt, submittingUntil, policy } = how;
  const n = media.jobCount + 1;
  const after: ArchiveRow = {
    ...dueRow(media, { policy, now, ...(row.asked && { asked: row.asked }) }),
    ...{ state: 'encoding', jobId: jobIdFor(media.mediaId, n), submittingUntil },
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

/** The original stays, unless there is another one by now. */
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
    : endedRow(row, { policy, refusals, now });
  return { change: [...changeBoth(media, row, after), ...settled(row, how.cost)] };
}

function endedRow(
  row: ArchiveRow,
  { policy, refusals, now }: { policy: string; refusals: ArchiveRefusal[]; now: string },
): ArchiveRow {
  const { mediaId, creatorId, collectionId, source, jobId } = row;
  const of = { mediaId, creatorId, collectionId, source, ...(jobId !== undefined && { jobId }) };
  return { type: 'archive', ...of, state: 'refused', at: now, policy, refusals };
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
 */
export function archiveReplaced(
  row: ArchiveRow,
  media: MediaRow,
  how: { versionId: string; etag: string; deleteAfter: string; now: string },
): Outcome<{ row: ArchiveRow }> {
  const { replaced, source } = row;
  if (row.state !== 'replacing' || !replaced) return { refused: `it is ${row.state}` };
  const why = whyNotArchived(media);
  if (why !== null) return { refused: why };
  if (media.source.versionId !== source.versionId || source.versionId === undefined)
    return { refused: 'another upload is known' };
  const { versionId, etag, deleteAfter, now } = how;
  const { copy } = replaced;
  const { key, size } = source;
  const isSource = { ...media.source, key: copy.key, versionId, size: copy.bytes, etag };
  const archivedFrom = { key, versionId: source.versionId, size, etag: source.etag };
  const { waits: _, ...kept } = row;
  const after: ArchiveRow = {
    ...kept,
    ...{
      state: 'archived',
      at: now,
      archivedAt: now,
      replaced: { ...replaced, copy: { ...copy, versionId } },
      deleteAfter,
    },
    ...{ todo: DUE_WORK.archivePurge, todoAt: deleteAfter },
  };
  const set = { source: { ...isSource, archivedFrom }, ...versionsFrom(media, source.versionId, isSource) };
  return { change: changeBoth(media, row, after, set), row: after };
}

/** The versions that viewers see, or may get back, with another source: they are encoded again from what is left. */
function versionsFrom(
  media: MediaRow,
  versionId: string,
  source: Source,
): Partial<Pick<MediaRow, 'current' | 'previous'>> {
  const moved = <Version extends PublishedVersion>(version: Version | undefined) =>
    version?.source?.versionId === versionId ? { ...version, source } : undefined;
  const [current, previous] = [moved(media.current), moved(media.previous)];
  return { ...(current && { current }), ...(previous && { previous }) };
}

/** Why the original of an archived media item is not touched; null where the copy is its source. */
function whyNotItsCopy({ state, replaced }: ArchiveRow, media: MediaRow): string | null {
  if (!replaced?.copy.versionId) return `it is ${state}`;
  if (media.state === 'deleting') return 'the media item is being deleted';
  return media.source.versionId === replaced.copy.versionId && media.source.archivedFrom
    ? null
    : 'the copy is not the source any more';
}

/** The day of the original has come, and the copy was looked at: from now on it cannot be put back. */
export function archivePurging(row: ArchiveRow, media: MediaRow, now: string): Outcome<{ row: ArchiveRow }> {
  if (row.state !== 'archived') return { refused: `it is ${row.state}` };
  const why = whyNotItsCopy(row, media);
  if (why !== null) return { refused: why };
  if (row.deleteAfter === undefined || row.deleteAfter > now) return { refused: 'its day has not come' };
  const { kept: _, ...others } = row;
  const after: ArchiveRow = { ...others, state: 'purging', at: now, todoAt: now };
  return { change: changeBoth(media, row, after), row: after };
}

/** The original is deleted. */
export function archivePurged(row: ArchiveRow, media: MediaRow, now: string): Outcome {
  if (row.state !== 'purging') return { refused: `it is ${row.state}` };
  const isOther = whyNotItsCopy(row, media) !== null;
  const { todo: _, todoAt: __, ...others } = row;
  const purged: ArchiveRow = { ...others, state: 'purged', at: now, deletedAt: now };
  return { change: changeBoth(media, row, isOther ? dueRow(media, { policy: row.policy, now, todoAt: now }) : purged) };
}

/** The original is kept for some more time, for a reason that people should know. */
export function archiveKept(
  row: ArchiveRow,
  media: MediaRow,
  how: { kept: string; todoAt: string; now: string },
): Outcome {
  const { kept, todoAt, now } = how;
  if (row.state === 'archived') return { change: changeRow(row, { kept, todoAt }) };
  if (row.state !== 'purging') return { refused: `it is ${row.state}` };
  return { change: changeBoth(media, row, { ...row, state: 'archived', at: now, kept, todoAt }) };
}

/** Sweep has no work with it until its media item has another version: another upload has taken the place of the copy. */
export function archiveLeft(row: ArchiveRow): Outcome {
  if (row.state !== 'archived') return { refused: `it is ${row.state}` };
  return { change: changeRow(row, {}, ['todo', 'todoAt']) };
}

/** The original is the media item's source again, in one write. It was looked at before. */
export function archiveRestored(row: ArchiveRow, media: MediaRow, now: string): Outcome {
  if (row.state !== 'archived') return { refused: `it is ${row.state}` };
  if (media.state !== 'ready' && media.state !== 'failed') return { refused: `the media item is ${media.state}` };
  const why = whyNotItsCopy(row, media);
  const { archivedFrom, ...copy } = media.source;
  if (why !== null || !archivedFrom || copy.versionId === undefined) return { refused: why ?? 'it is not archived' };
  const original: Source = { ...copy, ...archivedFrom };
  const refusals: ArchiveRefusal[] = [{ reason: 'restored', detail: 'The original is the source again.' }];
  const after: ArchiveRow = {
    ...endedRow(row, { policy: row.policy, refusals, now }),
    ...(row.replaced && { replaced: row.replaced }),
    ...{ todo: DUE_WORK.archiveRemove, todoAt: plus(now, { hours: COPY_STAYS_HOURS }) },
  };
  return {
    change: changeBoth(media, row, after, { source: original, ...versionsFrom(media, copy.versionId, original) }),
  };
}

/** A restored original's copy is removed. */
export function archiveCopyRemoved(row: ArchiveRow): Outcome {
  if (row.todo !== DUE_WORK.archiveRemove) return { refused: 'it was removed before' };
  return { change: changeRow(row, {}, ['replaced', 'todo', 'todoAt']) };
}
