import { abortMultipart } from '../../../aws/multipart.ts';
import { head, type ObjectHead, removeMany } from '../../../aws/s3.ts';
import { beginCopy, type CopyRequest, copyObject, goOnCopying, PART_SIZE } from '../../../aws/s3-copy.ts';
import { getCollection, getMedia, getRow } from '../../../aws/table.ts';
import { archiveFile, tmpPrefix } from '../../../core/contracts/keys.ts';
import { ArchivePolicyRow, type ArchiveRow, type Replaced } from '../../../core/contracts/table/archive.ts';
import { type RowKey, rowKeys } from '../../../core/contracts/table/keys.ts';
import type { MediaRow, Source } from '../../../core/contracts/table/media.ts';
import {
  archiveCopying,
  archiveRefused,
  archiveReplaced,
  archiveUndone,
  archiveWaits,
  whyNotArchived,
} from '../../../core/jobs/archive.ts';
import type { Outcome } from '../../../core/jobs/change.ts';
import { plus } from '../../../core/time.ts';
import { count, logger } from '../../shared/observability.ts';
import type { SweepServices } from '../services.ts';
import { changeArchive, DELETED, removeUnlessLocked } from './rows.ts';

/** A media item that is being encoded again gets its copy afterwards. */
const BUSY_MINUTES = 15;
/** Of a row of an earlier release, whose policy is gone. */
const KEEP_DAYS = 1;
export const OTHER_BUCKET = 'its original is in another bucket than uploads';
/** The one would remove what the other takes the place of. */
export const DELETES_ORIGINALS = 'its collection deletes originals';
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
  const original = await head(s3, row.source);
  const isThere = original !== null && original.size === row.source.size && sameEtag(original.etag, row.source.etag);
  const policy = await policyNow(services, row);
  // Where the original is gone, the copy is all that is left, whatever the policy says.
  if (policy.ends !== undefined && isThere)
    return undo(services, key, { row, jobId, copy: replaced.copy, why: policy.ends });
  const copy = await copyToItsKey(services, key, { row, replaced, jobId });
  if (copy === 'not yet') return;
  if (copy === 'lost') {
    await giveUp(services, key, { row, jobId, copy: replaced.copy });
    return;
  }
  const deleteAfter = plus(now, { days: policy.keepOriginalDays });
  const done = await changeArchive(services, key, (is, media): Outcome<{ done?: true }> => {
    if (is.jobId !== jobId || is.state !== 'replacing') return { refused: 'it went on' };
    const detail = whyNotItsSource(is, media);
    if (detail !== null) return archiveRefused(is, media, { refusals: [{ reason: 'source_changed', detail }], now });
    const busy = whyNotArchived(media);
    if (busy !== null) return archiveWaits(is, { waits: busy, todoAt: plus(now, { minutes: BUSY_MINUTES }) });
    const outcome = archiveReplaced(is, media, { ...copy, deleteAfter, isGone: !isThere, now });
    return 'refused' in outcome ? outcome : { ...outcome, done: true };
  });
  if ('refused' in done) {
    logger.info('not archived', { jobId, why: done.refused });
    // Whoever deletes the media item may have looked before the copy was there.
    if (done.refused === DELETED) {
      await removeUnlessLocked(services, { bucket: uploadsBucket, key: replaced.copy.key, versionId: copy.versionId });
    }
    return;
  }
  if (!done.done) return;
  if (!isThere) {
    logger.error('an original was gone: its copy is all that is left', { key: row.source.key, decision: 'escalate' });
    count('escalated');
  }
  report('originalsArchived');
  logger.info('archived', { jobId, original: replaced.original.bytes, copy: replaced.copy.bytes, deleteAfter });
  await removeMany(s3, services.mediaBucket, [fileOf(jobId, row.source)]);
}

/** It begins anew should it be allowed again; what was copied to the copy's key is not kept. */
async function undo(
  services: SweepServices,
  key: RowKey,
  { row, jobId, copy, why }: { row: ArchiveRow; jobId: string; copy: Replaced['copy']; why: string },
): Promise<void> {
  const { s3, uploadsBucket, now } = services;
  await abortParts(services, row, copy);
  const undone = await changeArchive(services, key, (is, media) =>
    is.jobId === jobId && is.state === 'replacing'
      ? archiveUndone(is, media, { waits: why, todoAt: now, now })
      : { refused: 'it went on' },
  );
  if ('refused' in undone) return;
  const found = await head(s3, { bucket: uploadsBucket, key: copy.key });
  if (found) await removeUnlessLocked(services, { bucket: uploadsBucket, key: copy.key, versionId: found.versionId });
}

/** Before the row forgets the upload: S3 bills the parts, and nothing else would find them. */
export async function abortParts(
  { s3, uploadsBucket: bucket }: Pick<SweepServices, 's3' | 'uploadsBucket'>,
  { uploadId }: ArchiveRow,
  { key }: Replaced['copy'],
): Promise<void> {
  if (uploadId !== undefined) await abortMultipart(s3, { bucket, key }, uploadId);
}

/** Why a copy of that upload may not become the source, now or later; null where it may. */
function whyNotItsSource({ source }: ArchiveRow, media: MediaRow): string | null {
  if (media.source.versionId !== source.versionId) return 'Another upload has taken its place.';
  return media.originalDeletedAt === undefined ? null : 'Its collection deletes originals.';
}

/** How long the original is to stay by the policy of its collection, and why nothing of that collection is archived any more. */
async function policyNow(
  { table, now, uploadsBucket }: SweepServices,
  row: ArchiveRow,
): Promise<{ keepOriginalDays: number; ends?: string }> {
  const { creatorId, collectionId } = (await getMedia(table, row.mediaId)) ?? row;
  const policy = await getRow(table, rowKeys.archivePolicy(creatorId, collectionId), ArchivePolicyRow);
  const collection = await getCollection(table, creatorId, collectionId);
  const days = [row.keepOriginalDays ?? KEEP_DAYS, policy?.policy.keepOriginalDays ?? 0];
  const isForced = policy?.forcedUntil !== undefined && policy.forcedUntil > now;
  const isOff = !policy?.enabled && !row.asked && !isForced;
  const ends =
    // By the deployment's configuration, uploads go to another one since.
    (row.source.bucket !== uploadsBucket && OTHER_BUCKET) ||
    (isOff && 'the archive of its collection is off') ||
    (collection?.deleteOriginal && DELETES_ORIGINALS);
  return { keepOriginalDays: Math.max(...days), ...(ends && { ends }) };
}

/** The copy is gone, or is not what was verified: it is made anew, but not for ever. */
async function giveUp(
  services: SweepServices,
  key: RowKey,
  { row, jobId, copy }: { row: ArchiveRow; jobId: string; copy: Replaced['copy'] },
): Promise<void> {
  const { now } = services;
  await abortParts(services, row, copy);
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

/** The version that lies there, with the checksum of what was verified. `not yet`: the next run of sweep goes on with it. */
async function copyToItsKey(
  services: SweepServices,
  key: RowKey,
  { row, replaced: { copy }, jobId }: { row: ArchiveRow; replaced: Replaced; jobId: string },
): Promise<{ versionId: string; etag: string } | 'lost' | 'not yet'> {
  const { s3, uploadsBucket, mediaBucket } = services;
  const at = { bucket: uploadsBucket, key: copy.key };
  const before = await head(s3, at);
  if (before && isCopy(before, copy)) return { versionId: before.versionId ?? '', etag: before.etag };
  const from = fileOf(jobId, row.source);
  const made = await head(s3, { bucket: mediaBucket, key: from });
  // One that is not what was verified, as after an attempt that went on, is not taken either.
  if (!made || made.size !== copy.bytes || made.crc64nvme !== copy.crc64nvme) return 'lost';
  const contentType = from.endsWith('.mov') ? 'video/quicktime' : 'video/mp4';
  const request = {
    ...{ fromBucket: mediaBucket, from, etag: made.etag, bucket: uploadsBucket, to: copy.key, size: copy.bytes },
    ...{ contentType, cacheControl: 'private' },
  };
  if (copy.bytes <= (services.copyPartBytes ?? PART_SIZE)) await copyObject(s3, request);
  else if (!(await copyOn(services, key, row, request))) return 'not yet';
  const after = await head(s3, at);
  if (!after || !isCopy(after, copy)) {
    logger.error('a copy is not what was copied there', { key: copy.key, ...after });
    if (after) await removeUnlessLocked(services, { ...at, versionId: after.versionId });
    return 'lost';
  }
  return { versionId: after.versionId ?? '', etag: after.etag };
}

/**
 * Copies parts of it for as long as there is time, one at least, so that a copy of any size ends. Which are there is what S3 says; the row names
 * the upload, from before the first of them.
 * @returns whether all of it is copied
 */
async function copyOn(services: SweepServices, key: RowKey, row: ArchiveRow, request: CopyRequest): Promise<boolean> {
  const { s3, now, timeIsUp: stop, copyPartBytes: partSize } = services;
  const note = (uploadId: string | null, waits?: string) =>
    changeArchive(services, key, (is) =>
      is.jobId === row.jobId && is.uploadId === row.uploadId
        ? archiveCopying(is, { uploadId, now, ...(waits !== undefined && { waits }) })
        : { refused: 'it went on' },
    );
  if (row.uploadId === undefined) {
    const uploadId = await beginCopy(s3, request);
    const noted = await note(uploadId);
    if ('row' in noted) return copyOn(services, key, noted.row, request);
    await abortMultipart(s3, { bucket: request.bucket, key: request.to }, uploadId);
    return false;
  }
  const done = await goOnCopying(s3, request, { uploadId: row.uploadId, stop, partSize });
  if (done === 'copied') return true;
  if (done === 'gone') await note(null);
  else await note(row.uploadId, `${done.parts} of ${done.of} parts of the copy are at their place`);
  return false;
}

export function isCopy(found: ObjectHead, { bytes, crc64nvme }: Replaced['copy']): boolean {
  const { versionId } = found;
  return found.size === bytes && found.crc64nvme === crc64nvme && versionId !== undefined && versionId !== 'null';
}

export function sameEtag(a: string, b: string): boolean {
  return a.replaceAll('"', '') === b.replaceAll('"', '');
}
