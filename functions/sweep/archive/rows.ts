import { httpStatus } from '../../../aws/http-status.ts';
import type { ObjectId } from '../../../aws/object-id.ts';
import { head, type ObjectHead, remove } from '../../../aws/s3.ts';
import { applyWithRetry, getMedia, getRow } from '../../../aws/table.ts';
import { unreadableByHead } from '../../../aws/unreadable.ts';
import { ArchiveRow } from '../../../core/contracts/table/archive.ts';
import { type RowKey, rowKeys } from '../../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../../core/contracts/table/media.ts';
import { archiveWaits } from '../../../core/jobs/archive.ts';
import type { Outcome } from '../../../core/jobs/change.ts';
import { plus } from '../../../core/time.ts';
import { logger } from '../../shared/observability.ts';
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

/** As `head`; where S3 refuses that, because of a key: why. */
export async function headOrWhy(
  { s3 }: Pick<SweepServices, 's3'>,
  object: ObjectId,
): Promise<ObjectHead | null | string> {
  return head(s3, object).catch(async (error: unknown) => {
    const why = await unreadableByHead(s3, object, error);
    if (why === null) throw error;
    return why;
  });
}

/** A key that may not be used may be allowed again. */
const UNREADABLE_HOURS = 1;

/** Does the work of a row. Where S3 refuses the bytes of its object, or HEAD, the row says why, and is looked at again later. */
export async function unlessUnreadable(
  services: SweepServices,
  key: RowKey,
  object: ObjectId,
  work: () => Promise<void>,
): Promise<void> {
  await work().catch(async (error: unknown) => {
    const waits = await unreadableByHead(services.s3, object, error);
    if (waits === null) throw error;
    logger.warn('S3 refuses an object', { ...key, waits, error });
    const todoAt = plus(services.now, { hours: UNREADABLE_HOURS });
    await changeArchive(services, key, (row) => archiveWaits(row, { waits, todoAt }));
  });
}

/** Why S3 keeps a version that was to be deleted. */
export const LOCKED = 'S3 does not let it be deleted: an Object Lock, a legal hold, or a policy of the bucket';

/** Deletes a version, unless S3 keeps it. */
export async function removeUnlessLocked(
  { s3 }: Pick<SweepServices, 's3'>,
  object: ObjectId,
): Promise<'removed' | 'locked'> {
  return unlessLocked(object, async () => {
    await remove(s3, object);
    return 'removed' as const;
  });
}

/**
 * Deletes versions up to the first that S3 keeps: 403, and no header of ours overrides that.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
 * @param told by the log
 */
export async function unlessLocked<T>(told: object, removal: () => Promise<T>): Promise<T | 'locked'> {
  try {
    return await removal();
  } catch (error) {
    if (httpStatus(error) !== 403) throw error;
    logger.warn('S3 keeps a version', { ...told, error });
    return 'locked';
  }
}
