import { getMedia, getRow } from '../../../aws/table.ts';
import { ArchiveRow } from '../../../core/contracts/table/archive.ts';
import { DUE_WORK, type RowKey } from '../../../core/contracts/table/keys.ts';
import { archiveReadable, archiveRestoring } from '../../../core/jobs/archive-restore.ts';
import { whatRestores } from '../../shared/restore-source.ts';
import type { SweepServices } from '../services.ts';
import { changeArchive } from './rows.ts';

/** A candidate whose original is being restored: it has its turn again when that can be read. A restore that was lost is asked for anew. */
export async function lookAtRestore(services: SweepServices, key: RowKey): Promise<void> {
  const { table, now } = services;
  const row = await getRow(table, key, ArchiveRow);
  const media = row && (await getMedia(table, row.mediaId));
  if (row?.todo !== DUE_WORK.archiveRestore || !media || media.state === 'deleting' || (row.todoAt ?? '') > now) return;
  const isItsSource = media.source.versionId === row.source.versionId;
  const restoring = isItsSource ? await whatRestores(services, media, row.source, { known: row.restoring }) : null;
  await changeArchive(services, key, (is, of) =>
    restoring === null ? archiveReadable(is, of, now) : archiveRestoring(is, of, restoring, now),
  );
}
