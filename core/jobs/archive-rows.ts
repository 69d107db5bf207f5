import { type ArchiveRefusal, isMovable } from '../contracts/archive.ts';
import { ArchiveRow } from '../contracts/table/archive.ts';
import { archiveDue, DUE_WORK, rowKeys } from '../contracts/table/keys.ts';
import type { MediaRow, PublishedVersion, Source } from '../contracts/table/media.ts';
import type { Add, Update, Write } from './change.ts';
import { changeMedia } from './rows.ts';

/** How every transition of the archive writes: its row, what the media item shows of it, and the sums of its collection, together. */

export type Summary = NonNullable<MediaRow['archive']>;

const FIELDS = Object.keys(ArchiveRow.shape) as (keyof ArchiveRow)[];

/** What of a row a media item shows. */
function summaryOf(row: ArchiveRow): Summary {
  const { state, source, collectionId, replaced, refusals, deleteAfter, storageClass, restoring } = row;
  const [first] = refusals ?? [];
  const bytes = replaced && { original: replaced.original.bytes, copy: replaced.copy.bytes };
  return {
    state,
    versionId: source.versionId ?? '',
    collectionId,
    ...(bytes && state !== 'refused' && { bytes }),
    ...(storageClass && (state === 'moving' || state === 'moved') && { storageClass }),
    ...(state === 'moved' && { movedBytes: bytes ? bytes.copy : source.size }),
    ...(restoring && { restoring }),
    ...(first && { reason: first.reason }),
    ...(deleteAfter !== undefined && { deleteAfter }),
  };
}

/** Replaces the row as it was read; all that the new one does not have is removed. */
export function replaceRow(before: ArchiveRow | null, after: ArchiveRow): Write {
  const key = rowKeys.archive(after.mediaId);
  if (!before) return { op: 'put', key, row: after };
  const remove = FIELDS.filter((name) => before[name] !== undefined && after[name] === undefined);
  return { op: 'update', key, expect: asRead(before), set: after, remove };
}

/** Every change of a row changes one of these. */
function asRead({
  state,
  at,
  jobId,
  engineJobId,
  submittingUntil,
  todoAt,
  kept,
  uploadId,
}: ArchiveRow): Update<ArchiveRow>['expect'] {
  return {
    ...{ type: 'archive', state, at, jobId: jobId ?? null, engineJobId: engineJobId ?? null },
    ...{ submittingUntil: submittingUntil ?? null, todoAt: todoAt ?? null, kept: kept ?? null },
    uploadId: uploadId ?? null,
  };
}

/** A change of a row that its media item does not show. */
export function changeRow(row: ArchiveRow, set: Partial<ArchiveRow>, remove: (keyof ArchiveRow)[] = []): Write[] {
  const after = { ...row, ...set };
  for (const name of remove) delete after[name];
  return [replaceRow(row, after)];
}

/** A change of a row's state. @param set what else changes of the media item */
export function changeBoth(
  media: MediaRow,
  before: ArchiveRow | null,
  after: ArchiveRow,
  set: Readonly<Partial<MediaRow>> = {},
): Write[] {
  const archive = summaryOf(after);
  return [
    changeMedia(media, after.at, { ...set, archive }),
    replaceRow(before, after),
    ...counted(media, archive, after.at),
  ];
}

/** A version that goes to another class loses its tag, or is looked at anew, with the next run of sweep. */
export function moveLookedAt({ mediaId }: Pick<MediaRow, 'mediaId'>, now: string): Update<ArchiveRow> {
  return {
    op: 'update',
    key: rowKeys.archive(mediaId),
    expect: { type: 'archive', state: 'moving' },
    set: { todoAt: now },
  };
}

/** What one media item adds to the sums of its collection. */
function amountsOf(archive: Summary | undefined): Record<string, number> {
  const { state, bytes, movedBytes, reason } = archive ?? {};
  if (state === 'refused') return { [`refused ${reason}`]: 1 };
  const moved = movedBytes !== undefined && { moved: 1, movedBytes };
  if (!bytes || state === undefined || !HAS_COPY.includes(state)) return { ...moved };
  const { original, copy } = bytes;
  const isKept = state === 'archived' || state === 'purging';
  return {
    ...{ archived: 1, originalBytes: original, archivedBytes: copy },
    ...(isKept && { keptBytes: original }),
    ...moved,
  };
}

/** Its copy, if it has one, is its media item's source. */
const HAS_COPY: readonly ArchiveRow['state'][] = ['archived', 'purging', 'purged', 'moving', 'moved'];

/** Changes the sums by what a media item adds to them now, instead of what it added before. */
export function counted(
  { creatorId, archive: was }: Pick<MediaRow, 'creatorId' | 'archive'>,
  is: Summary | undefined,
  now: string,
): Add[] {
  const collections = new Set([was, is].flatMap((summary) => summary?.collectionId ?? []));
  return [...collections].flatMap((collectionId) => {
    const [before, after] = [was, is].map((it) => (it?.collectionId === collectionId ? amountsOf(it) : {}));
    const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
    const amounts = Object.fromEntries(
      [...names]
        .map((name) => [name, (after?.[name] ?? 0) - (before?.[name] ?? 0)] as const)
        .filter(([, it]) => it !== 0),
    );
    if (Object.keys(amounts).length === 0) return [];
    const isNew = (amounts.archived ?? 0) > 0 || (amounts.moved ?? 0) > 0;
    const set = { type: 'archive-stats', ...(isNew && { last: now }) };
    return [{ op: 'add', key: rowKeys.archiveStats(creatorId, collectionId), amounts, max: {}, set }];
  });
}

/** A restored original's copy is removed later: a job, or somebody with a link, may be reading it. */
export const COPY_STAYS_HOURS = 24;

export type Due = Pick<ArchiveRow, 'policy'> & { asked?: true; now: string; todoAt?: string };

/** Before every time. */
const FIRST = '0000-01-01T00:00:00.000Z';

export function dueRow(media: MediaRow, { policy, asked, now, todoAt = media.createdAt }: Due): ArchiveRow {
  const { mediaId, creatorId, collectionId, source } = media;
  return {
    ...{ type: 'archive', mediaId, creatorId, collectionId, state: 'due', at: now, source, policy },
    ...(asked && { asked }),
    todo: archiveDue(creatorId, collectionId),
    todoAt: asked ? FIRST : todoAt,
  };
}

export function endedRow(
  row: ArchiveRow,
  { policy, refusals, now }: { policy: string; refusals: ArchiveRefusal[]; now: string },
): ArchiveRow {
  const { mediaId, creatorId, collectionId, source, jobId } = row;
  const of = { mediaId, creatorId, collectionId, source, ...(jobId !== undefined && { jobId }) };
  return { type: 'archive', ...of, state: 'refused', at: now, policy, refusals };
}

/** The original is deleted: its copy goes to the class that was chosen for it, where it is large enough. */
export function deletedState({ copyClass, replaced }: ArchiveRow, now: string) {
  const goes = copyClass !== undefined && replaced !== undefined && isMovable(replaced.copy.bytes);
  if (!goes) return { state: 'purged' as const, deletedAt: now };
  const todo = { todo: DUE_WORK.archiveMove, todoAt: now };
  return { state: 'moving' as const, deletedAt: now, storageClass: copyClass, ...todo };
}

/** The versions that viewers see, or may get back, with another source: they are encoded again from what is left. */
export function versionsFrom(
  media: MediaRow,
  versionId: string,
  source: Source,
): Partial<Pick<MediaRow, 'current' | 'previous'>> {
  const moved = <Version extends PublishedVersion>(version: Version | undefined) =>
    version?.source?.versionId === versionId ? { ...version, source } : undefined;
  const [current, previous] = [moved(media.current), moved(media.previous)];
  return { ...(current && { current }), ...(previous && { previous }) };
}
