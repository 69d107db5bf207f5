import type { ArchiveRefusal } from '../contracts/archive.ts';
import type { ArchivePolicyRow, ArchiveRow } from '../contracts/table/archive.ts';
import { DUE_WORK, rowKeys } from '../contracts/table/keys.ts';
import type { MediaRow, Source } from '../contracts/table/media.ts';
import { plus } from '../time.ts';
import {
  COPY_STAYS_HOURS,
  changeBoth,
  changeRow,
  deletedState,
  dueRow,
  endedRow,
  versionsFrom,
} from './archive-rows.ts';
import type { Outcome } from './change.ts';
import { isUnderWay } from './end.ts';
import { uploadOf } from './sources.ts';

/** How the original of an archived media item is deleted after its day, or put back before it, and the copy removed. */

/** Why the original of an archived media item is not touched; null where the copy is its source. */
function whyNotItsCopy({ state, replaced }: ArchiveRow, media: MediaRow): string | null {
  if (!replaced?.copy.versionId) return `it is ${state}`;
  if (media.state === 'deleting') return 'the media item is being deleted';
  return media.source.versionId === replaced.copy.versionId && media.source.archivedFrom
    ? null
    : 'the copy is not the source any more';
}

/** Why nobody may delete an archived original now, whatever its day; null where one may. */
export function whyNotPurged(row: ArchiveRow, media: MediaRow): string | null {
  const why = whyNotItsCopy(row, media);
  if (why !== null) return why;
  // Its worker, or the version that it makes, may name the original.
  if (isUnderWay(media)) return `the media item is ${media.state}`;
  const isNamed = [media.current, media.previous].some((it) => it?.source?.versionId === row.source.versionId);
  return isNamed ? 'a version that viewers may see names it as its source' : null;
}

/** When the original may be deleted. The longer time counts: a policy that was made more careful holds for what is there. */
export function dayOfPurge({ archivedAt, at, deleteAfter }: ArchiveRow, { policy }: ArchivePolicyRow): string {
  const byPolicy = plus(archivedAt ?? at, { days: policy.keepOriginalDays });
  return deleteAfter !== undefined && deleteAfter > byPolicy ? deleteAfter : byPolicy;
}

/**
 * The day of the original has come, and the copy was looked at: from now on it cannot be put back. Decided anew by a run that goes on where
 * another died, and each time on the condition that the policy is as it was read.
 */
export function archivePurging(
  row: ArchiveRow,
  media: MediaRow,
  policy: ArchivePolicyRow | null,
  now: string,
): Outcome<{ row: ArchiveRow }> {
  if (row.state !== 'archived' && row.state !== 'purging') return { refused: `it is ${row.state}` };
  const why = whyNotPurged(row, media);
  if (why !== null) return { refused: why };
  if (!policy?.enabled) return { refused: 'the archive of its collection is off' };
  if (dayOfPurge(row, policy) > now) return { refused: 'its day has not come' };
  const { kept: _, waits: __, ...others } = row;
  const after: ArchiveRow = { ...others, state: 'purging', at: now, todoAt: now };
  const key = rowKeys.archivePolicy(policy.creatorId, policy.collectionId);
  const asRead = { op: 'check', key, expect: { rev: policy.rev, enabled: true } } as const;
  return { change: [...changeBoth(media, row, after), asRead], row: after };
}

/** The policy of the day keeps the original for longer than the row says. */
export function archiveLater(row: ArchiveRow, media: MediaRow, deleteAfter: string, now: string): Outcome {
  if (row.state !== 'archived' && row.state !== 'purging') return { refused: `it is ${row.state}` };
  const { kept: _, ...others } = row;
  return {
    change: changeBoth(media, row, { ...others, state: 'archived', at: now, deleteAfter, todoAt: deleteAfter }),
  };
}

/** The original is deleted. */
export function archivePurged(row: ArchiveRow, media: MediaRow, now: string): Outcome {
  if (row.state !== 'purging') return { refused: `it is ${row.state}` };
  const isOther = whyNotItsCopy(row, media) !== null;
  const { todo: _, todoAt: __, waits: ___, ...others } = row;
  const purged: ArchiveRow = { ...others, at: now, ...deletedState(row, now) };
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

/**
 * Another upload has taken the place of the copy: the original of before stays. Sweep has no work with it until a version of that upload is shown;
 * one whose deletion had begun was passed over by that.
 */
export function archiveLeft(row: ArchiveRow, media: MediaRow, now: string): Outcome {
  if (row.state === 'purging') {
    return { change: changeBoth(media, row, dueRow(media, { policy: row.policy, now, todoAt: now })) };
  }
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

/** A restored original's copy is removed. Another upload that was shown meanwhile is a candidate from now on. */
export function archiveCopyRemoved(row: ArchiveRow, media: MediaRow, now: string): Outcome {
  if (row.todo !== DUE_WORK.archiveRemove) return { refused: 'it was removed before' };
  if (uploadOf(media.source).versionId !== row.source.versionId) {
    return { change: changeBoth(media, row, dueRow(media, { policy: row.policy, now, todoAt: now })) };
  }
  return { change: changeRow(row, {}, ['replaced', 'waits', 'todo', 'todoAt']) };
}
