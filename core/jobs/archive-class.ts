import type { ArchiveClass, ArchiveRefusal } from '../contracts/archive.ts';
import type { ArchiveRow } from '../contracts/table/archive.ts';
import { DUE_WORK } from '../contracts/table/keys.ts';
import type { MediaRow, Source } from '../contracts/table/media.ts';
import { whyNotArchived } from './archive.ts';
import { changeBoth, changeRow, dueRow, endedRow } from './archive-rows.ts';
import type { Outcome } from './change.ts';

/**
 * How an original, or the copy of one that is deleted, goes to a cheaper storage class: by a tag of the very version, which a lifecycle rule of
 * the bucket follows within days. docs/decisions/0502-classes-and-restores.md
 */

/** What goes, or has gone, to another class. */
export function movedVersion({ source, replaced }: ArchiveRow): Pick<Source, 'bucket' | 'key' | 'versionId' | 'size'> {
  const { bucket, key, versionId, size } = source;
  if (!replaced) return { bucket, key, size, ...(versionId !== undefined && { versionId }) };
  const { copy } = replaced;
  return {
    bucket,
    key: copy.key,
    size: copy.bytes,
    ...(copy.versionId !== undefined && { versionId: copy.versionId }),
  };
}

/** An original that is due is to be moved: recorded before it gets its tag. */
export function classMoving(
  row: ArchiveRow,
  media: MediaRow,
  how: { storageClass: ArchiveClass; policy: string; asked?: true; now: string },
): Outcome<{ row: ArchiveRow }> {
  if (row.state !== 'due') return { refused: `it is ${row.state}` };
  const why = whyNotArchived(media);
  if (why !== null) return { refused: why };
  const { storageClass, policy, asked = row.asked, now } = how;
  const due = dueRow(media, { policy, now, ...(asked && { asked }) });
  const after: ArchiveRow = { ...due, state: 'moving', storageClass, todo: DUE_WORK.archiveMove, todoAt: now };
  return { change: changeBoth(media, row, after), row: after };
}

/** It is in that class, which may be one below the one that was asked for. A move that was taken back too late counts as well. */
export function classMoved(row: ArchiveRow, media: MediaRow, storageClass: ArchiveClass, now: string): Outcome {
  if (row.todo !== DUE_WORK.archiveMove) return { refused: `it is ${row.state}` };
  const { todo: _, todoAt: __, waits: ___, ...others } = row;
  return { change: changeBoth(media, row, { ...others, state: 'moved', at: now, storageClass }) };
}

/** The original is gone before it was moved. */
export function classGone(row: ArchiveRow, media: MediaRow, now: string): Outcome {
  if (row.todo !== DUE_WORK.archiveMove) return { refused: `it is ${row.state}` };
  const refusals: ArchiveRefusal[] = [
    { reason: 'source_changed', detail: 'S3 did not have the original any more when it was to be moved.' },
  ];
  return { change: changeBoth(media, row, endedRow(row, { policy: row.policy, refusals, now })) };
}

/** Somebody has put the original into another class before it was moved. What was refused before is the first of its reasons. */
export function classElsewhere(row: ArchiveRow, media: MediaRow, storageClass: string, now: string): Outcome {
  if (row.state !== 'moving' || row.replaced) return { refused: `it is ${row.state}` };
  const refusal: ArchiveRefusal = { reason: 'storage_class', detail: `It is in ${storageClass}.` };
  const refusals = [...(row.refusals ?? []), refusal];
  return { change: changeBoth(media, row, endedRow(row, { policy: row.policy, refusals, now })) };
}

/** Its archive is off, or another upload has taken its place: it is a candidate again, should that be allowed. */
export function classUndone(row: ArchiveRow, media: MediaRow, now: string): Outcome {
  if (row.state !== 'moving') return { refused: `it is ${row.state}` };
  return { change: changeBoth(media, row, dueRow(media, { policy: row.policy, now, todoAt: now })) };
}

/** A person takes the move of an original back: sweep removes its tag. It is not archived again unless a person asks for it. */
export function classTakenBack(row: ArchiveRow, media: MediaRow, now: string): Outcome {
  if (row.state !== 'moving' || row.replaced) return { refused: `it is ${row.state}` };
  const refusals: ArchiveRefusal[] = [
    { reason: 'restored', detail: 'Its move to another storage class was taken back.' },
  ];
  const after: ArchiveRow = {
    ...endedRow(row, { policy: row.policy, refusals, now }),
    ...(row.storageClass && { storageClass: row.storageClass }),
    ...{ todo: DUE_WORK.archiveMove, todoAt: now },
  };
  return { change: changeBoth(media, row, after) };
}

/** The tag of a move that was taken back is removed. */
export function classTagRemoved(row: ArchiveRow): Outcome {
  if (row.state !== 'refused' || row.todo !== DUE_WORK.archiveMove) return { refused: `it is ${row.state}` };
  return { change: changeRow(row, {}, ['storageClass', 'todo', 'todoAt']) };
}
