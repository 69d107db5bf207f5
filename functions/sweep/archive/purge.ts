import { httpStatus } from '../../../aws/http-status.ts';
import { head, remove } from '../../../aws/s3.ts';
import { getMedia, getRow } from '../../../aws/table.ts';
import { ArchivePolicyRow, ArchiveRow } from '../../../core/contracts/table/archive.ts';
import { type RowKey, rowKeys } from '../../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../../core/contracts/table/media.ts';
import {
  archiveCopyRemoved,
  archiveKept,
  archiveLeft,
  archivePurged,
  archivePurging,
  archiveWaits,
} from '../../../core/jobs/archive.ts';
import { plus } from '../../../core/time.ts';
import { count, logger } from '../../shared/observability.ts';
import type { SweepServices } from '../services.ts';
import { isCopy } from './replace.ts';
import { changeArchive } from './rows.ts';

/** What keeps an original is looked at again after this time. */
const AGAIN_DAYS = 1;

/**
 * Deletes an original whose day has come by its row and by the policy of today: only the version that was archived, and only while the copy is
 * the media item's source and S3 has it with the checksum that was verified. From the row's `purging` on it cannot be put back; a run that
 * stops after that looks at the copy again before it goes on.
 */
export async function purgeOriginal(services: SweepServices, key: RowKey): Promise<void> {
  const { table, now } = services;
  const row = await getRow(table, key, ArchiveRow);
  const media = row && (await getMedia(table, row.mediaId));
  if (!row?.replaced || !media || media.state === 'deleting' || (row.todoAt ?? '') > now) return;
  if (row.state !== 'archived' && row.state !== 'purging') return;
  if (row.state === 'archived' && (await waits(services, key, row, media))) return;
  const { copy } = row.replaced;
  const found = await head(services.s3, { bucket: row.source.bucket, key: copy.key, versionId: copy.versionId });
  if (!found || !isCopy(found, copy)) {
    logger.error('an original is kept: its copy is not what was verified', { key: copy.key, decision: 'escalate' });
    count('escalated');
    return keep(services, key, found ? 'the copy is not what was verified' : 'the copy is missing');
  }
  if (row.state === 'purging') return deleteOriginal(services, key, row);
  const decided = await changeArchive(services, key, (is, of) => archivePurging(is, of, now));
  if ('row' in decided) await deleteOriginal(services, key, decided.row);
}

/** Whether it stays for now: its day has not come, or another upload has its place. */
async function waits(services: SweepServices, key: RowKey, row: ArchiveRow, media: MediaRow): Promise<boolean> {
  const { table, now } = services;
  if (media.source.versionId !== row.replaced?.copy.versionId) {
    await changeArchive(services, key, (is) => archiveLeft(is));
    return true;
  }
  const policy = await getRow(table, rowKeys.archivePolicy(media.creatorId, media.collectionId), ArchivePolicyRow);
  if (!policy?.enabled) {
    await keep(services, key, 'the archive of its collection is off');
    return true;
  }
  // The longer time counts: a policy that was made more careful holds for what is there.
  const until = plus(row.archivedAt ?? row.at, { days: policy.policy.keepOriginalDays });
  if (until <= now) return false;
  await changeArchive(services, key, (is) => archiveWaits(is, { todoAt: until }));
  return true;
}

async function keep(services: SweepServices, key: RowKey, kept: string): Promise<void> {
  const { now } = services;
  const todoAt = plus(now, { days: AGAIN_DAYS });
  await changeArchive(services, key, (is, media) => archiveKept(is, media, { kept, todoAt, now }));
  services.report('originalsKept');
}

async function deleteOriginal(services: SweepServices, key: RowKey, { source }: ArchiveRow): Promise<void> {
  const { s3, now } = services;
  const { bucket, key: at, versionId } = source;
  // Without one, S3 would hide what is there, whatever it is.
  if (versionId === undefined) throw new Error(`${at} has no version.`);
  try {
    await remove(s3, { bucket, key: at, versionId });
  } catch (error) {
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html: 403, and no header of ours overrides it.
    if (httpStatus(error) !== 403) throw error;
    logger.warn('an original is kept by a lock', { key: at, versionId, error });
    return keep(
      services,
      key,
      'S3 does not let it be deleted: an Object Lock, a legal hold, or a policy of the bucket',
    );
  }
  await changeArchive(services, key, (is, media) => archivePurged(is, media, now));
  services.report('originalsPurged');
  logger.info('original deleted', { key: at, versionId });
}

/** The copy of an original that was restored, once nothing reads it. */
export async function removeCopy(services: SweepServices, key: RowKey): Promise<void> {
  const { table, s3, now } = services;
  const row = await getRow(table, key, ArchiveRow);
  const media = row && (await getMedia(table, row.mediaId));
  if (!row?.replaced || row.state !== 'refused' || !media || (row.todoAt ?? '') > now) return;
  const { copy } = row.replaced;
  const uses = [media.source, media.pending?.source, media.current?.source, media.previous?.source];
  if (copy.versionId === undefined || uses.some((source) => source?.versionId === copy.versionId)) {
    logger.error('a copy is still in use', { key: copy.key, mediaId: row.mediaId });
    await changeArchive(services, key, (is) => archiveWaits(is, { todoAt: plus(now, { days: AGAIN_DAYS }) }));
    return;
  }
  // The original is looked at first: this is the other file of the two.
  if (!(await head(s3, row.source))) {
    logger.error('a copy is kept: its original is gone', { key: copy.key, decision: 'escalate' });
    count('escalated');
    await changeArchive(services, key, (is) => archiveWaits(is, { todoAt: plus(now, { days: AGAIN_DAYS }) }));
    return;
  }
  await remove(s3, { bucket: row.source.bucket, key: copy.key, versionId: copy.versionId });
  await changeArchive(services, key, (is) => archiveCopyRemoved(is));
}
