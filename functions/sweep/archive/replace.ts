import { head, type ObjectHead, remove, removeMany } from '../../../aws/s3.ts';
import { copyObject } from '../../../aws/s3-copy.ts';
import { getRow } from '../../../aws/table.ts';
import { archiveFile, tmpPrefix } from '../../../core/contracts/keys.ts';
import { ArchivePolicyRow, type ArchiveRow, type Replaced } from '../../../core/contracts/table/archive.ts';
import { type RowKey, rowKeys } from '../../../core/contracts/table/keys.ts';
import type { Source } from '../../../core/contracts/table/media.ts';
import {
  archiveRefused,
  archiveReplaced,
  archiveUndone,
  archiveWaits,
  whyNotArchived,
} from '../../../core/jobs/archive.ts';
import type { Outcome } from '../../../core/jobs/change.ts';
import { plus } from '../../../core/time.ts';
import { logger } from '../../shared/observability.ts';
import type { SweepServices } from '../services.ts';
import { changeArchive, DELETED } from './rows.ts';

/** A media item that is being encoded again gets its copy afterwards. */
const BUSY_MINUTES = 15;
const KEEP_DAYS = 1;
/** Attempts in a row without a copy, after which a person has to look. */
export const ATTEMPTS = 3;

/**
 * Gives a verified copy its own key, reads back what S3 has there, looks at the original once more, and makes the copy the media item's source
 * in one transaction. Stopped anywhere, the next run does what is left: a copy that lies there is not made again.
 */
export async function replaceOriginal(services: SweepServices, key: RowKey, row: ArchiveRow): Promise<void> {
  const { s3, uploadsBucket, now, report } = services;
  const { replaced, jobId } = row;
  if (!replaced || jobId === undefined) return;
  const copy = await copyToItsKey(services, { replaced, jobId, source: row.source });
  if (copy === 'lost') {
    await giveUp(services, key, jobId);
    return;
  }
  const original = await head(s3, row.source);
  const isThere = original !== null && original.size === row.source.size && sameEtag(original.etag, row.source.etag);
  const deleteAfter = plus(now, { days: await daysKept(services, row) });
  const done = await changeArchive(services, key, (is, media): Outcome<{ done?: true }> => {
    if (is.jobId !== jobId || is.state !== 'replacing') return { refused: 'it went on' };
    const isOther = media.source.versionId !== is.source.versionId;
    if (!isThere || isOther) {
      const detail = isThere ? 'Another upload has taken its place.' : 'S3 does not have the original any more.';
      return archiveRefused(is, media, { refusals: [{ reason: 'source_changed', detail }], now });
    }
    const busy = whyNotArchived(media);
    if (busy !== null) return archiveWaits(is, { waits: busy, todoAt: plus(now, { minutes: BUSY_MINUTES }) });
    const outcome = archiveReplaced(is, media, { ...copy, deleteAfter, now });
    return 'refused' in outcome ? outcome : { ...outcome, done: true };
  });
  if ('refused' in done) {
    logger.info('not archived', { jobId, why: done.refused });
    // Whoever deletes the media item may have looked before the copy was there.
    if (done.refused === DELETED) {
      await remove(s3, { bucket: uploadsBucket, key: replaced.copy.key, versionId: copy.versionId });
    }
    return;
  }
  if (!done.done) return;
  report('originalsArchived');
  logger.info('archived', { jobId, original: replaced.original.bytes, copy: replaced.copy.bytes, deleteAfter });
  await removeMany(s3, services.mediaBucket, [fileOf(jobId, row.source)]);
}

/** The copy is gone, or is not what was verified: it is made anew, but not for ever. */
async function giveUp(services: SweepServices, key: RowKey, jobId: string): Promise<void> {
  const { now } = services;
  const waits = 'The copy was not what was verified when it was to take its place.';
  await changeArchive(services, key, (is, media) => {
    if (is.jobId !== jobId || is.state !== 'replacing') return { refused: 'it went on' };
    const failures = (is.failures ?? 0) + 1;
    const refusals = [{ reason: 'new_file_damaged' as const, detail: waits }];
    if (failures >= ATTEMPTS) return archiveRefused(is, media, { refusals, now });
    return archiveUndone(is, media, { waits, failures, todoAt: now, now });
  });
}

function fileOf(jobId: string, source: Source): string {
  return `${tmpPrefix(jobId)}${archiveFile(source.key)}`;
}

/** The version that lies there, with the checksum of what was verified. */
async function copyToItsKey(
  { s3, uploadsBucket, mediaBucket }: SweepServices,
  { replaced: { copy }, jobId, source }: { replaced: Replaced; jobId: string; source: Source },
): Promise<{ versionId: string; etag: string } | 'lost'> {
  const at = { bucket: uploadsBucket, key: copy.key };
  const before = await head(s3, at);
  if (before && isCopy(before, copy)) return { versionId: before.versionId ?? '', etag: before.etag };
  const from = fileOf(jobId, source);
  const made = await head(s3, { bucket: mediaBucket, key: from });
  // One that is not what was verified, as after an attempt that went on, is not taken either.
  if (!made || made.size !== copy.bytes || made.crc64nvme !== copy.crc64nvme) return 'lost';
  const contentType = from.endsWith('.mov') ? 'video/quicktime' : 'video/mp4';
  await copyObject(s3, {
    ...{ fromBucket: mediaBucket, from, bucket: uploadsBucket, to: copy.key, size: copy.bytes },
    ...{ contentType, cacheControl: 'private' },
  });
  const after = await head(s3, at);
  if (!after || !isCopy(after, copy)) throw new Error(`${copy.key} is not what was copied there.`);
  return { versionId: after.versionId ?? '', etag: after.etag };
}

export function isCopy(found: ObjectHead, { bytes, crc64nvme }: Replaced['copy']): boolean {
  const { versionId } = found;
  return found.size === bytes && found.crc64nvme === crc64nvme && versionId !== undefined && versionId !== 'null';
}

export function sameEtag(a: string, b: string): boolean {
  return a.replaceAll('"', '') === b.replaceAll('"', '');
}

async function daysKept({ table }: SweepServices, { creatorId, collectionId }: ArchiveRow): Promise<number> {
  const policy = await getRow(table, rowKeys.archivePolicy(creatorId, collectionId), ArchivePolicyRow);
  return policy?.policy.keepOriginalDays ?? KEEP_DAYS;
}
