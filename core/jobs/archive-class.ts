import type { ArchiveRow } from '../contracts/table/archive.ts';
import { DUE_WORK, rowKeys } from '../contracts/table/keys.ts';
import type { Outcome } from './change.ts';

/** S3 says that a version is in another class: sweep looks at it with its next run. */
export function classChanged(row: ArchiveRow, now: string): Outcome {
  if (row.state !== 'moving') return { refused: `it is ${row.state}` };
  if ((row.todoAt ?? '') <= now) return { refused: 'it is due' };
  const expect = { state: row.state, at: row.at, todo: DUE_WORK.archiveMove };
  return { change: [{ op: 'update', key: rowKeys.archive(row.mediaId), expect, set: { todoAt: now } }] };
}
