import type { ArchiveRow } from '../contracts/table/archive.ts';
import { DUE_WORK, rowKeys } from '../contracts/table/keys.ts';
import type { MediaRow, Restoring } from '../contracts/table/media.ts';
import { plus } from '../time.ts';
import { changeBoth, dueRow } from './archive-rows.ts';
import type { Outcome } from './change.ts';
import { POLL_MINUTES } from './restoring.ts';

/** A candidate whose original cannot be read before S3 has restored it. */

/** It waits, apart from those that can be read, and its media item shows since when. */
export function archiveRestoring(row: ArchiveRow, media: MediaRow, restoring: Restoring, now: string): Outcome {
  if (row.state !== 'due') return { refused: `it is ${row.state}` };
  const { waits: _, ...others } = row;
  const todo = { todo: DUE_WORK.archiveRestore, todoAt: plus(now, { minutes: POLL_MINUTES[restoring.tier] }) };
  return { change: changeBoth(media, row, { ...others, at: now, restoring, ...todo }) };
}

/** It can be read, or another upload has taken its place: it has its turn among the others again. */
export function archiveReadable(row: ArchiveRow, media: MediaRow, now: string): Outcome {
  if (row.state !== 'due' || row.todo !== DUE_WORK.archiveRestore) return { refused: `it is ${row.state}` };
  const { restoring: _, asked, ...others } = row;
  const { todo, todoAt } = dueRow(media, { policy: row.policy, now, ...(asked && { asked }) });
  return { change: changeBoth(media, row, { ...others, ...(asked && { asked }), at: now, todo, todoAt }) };
}

/** S3 says that its original, or copy, was restored or is in another class: sweep looks at it with its next run. */
export function archiveHeard(row: ArchiveRow, now: string): Outcome {
  const { mediaId, state, at, todo, todoAt } = row;
  if (todo !== DUE_WORK.archiveMove && todo !== DUE_WORK.archiveRestore) return { refused: `it is ${state}` };
  if ((todoAt ?? '') <= now) return { refused: 'it is due' };
  return {
    change: [{ op: 'update', key: rowKeys.archive(mediaId), expect: { state, at, todo }, set: { todoAt: now } }],
  };
}
