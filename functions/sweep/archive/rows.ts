import { applyWithRetry, getMedia, getRow } from '../../../aws/table.ts';
import { ArchiveRow } from '../../../core/contracts/table/archive.ts';
import { type RowKey, rowKeys } from '../../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../../core/contracts/table/media.ts';
import type { Outcome } from '../../../core/jobs/change.ts';
import type { SweepServices } from '../services.ts';

export const getArchive = (services: Pick<SweepServices, 'table'>, mediaId: string) =>
  getRow(services.table, rowKeys.archive(mediaId), ArchiveRow);

/** The row goes with its media item only. */
export const DELETED = 'the media item is deleted';

/** Decides by both rows as they are now; nothing is done where one is gone, or is not due any more. */
export async function changeArchive<More extends object>(
  { table, now }: Pick<SweepServices, 'table' | 'now'>,
  key: RowKey,
  decide: (row: ArchiveRow, media: MediaRow) => Outcome<More> | Promise<Outcome<More>>,
): Promise<Outcome<More>> {
  return applyWithRetry(table, async (): Promise<Outcome<More>> => {
    const row = await getRow(table, key, ArchiveRow);
    if (!row) return { refused: DELETED };
    if ((row.todoAt ?? '') > now) return { refused: 'not due' };
    const media = await getMedia(table, row.mediaId);
    if (!media || media.state === 'deleting') return { refused: DELETED };
    return decide(row, media);
  });
}
