import { send } from '../../aws/queue.ts';
import { head, listVersions, remove, removePrefix, removeVersions } from '../../aws/s3.ts';
import { apply, applyWithRetry, getRow } from '../../aws/table.ts';
import { queryJobs, queryKeys } from '../../aws/table-queries.ts';
import { archivePrefix, mediaPrefixes, tmpPrefixOfAll } from '../../core/contracts/keys.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { DUE_WORK, isVersionKey, type RowKey, rowKeys } from '../../core/contracts/table/keys.ts';
import { MediaRow } from '../../core/contracts/table/media.ts';
import { archiveOver } from '../../core/jobs/archive.ts';
import { ENDING_MS, hasEnded } from '../../core/jobs/rows.ts';
import { uploadOf } from '../../core/jobs/sources.ts';
import { beginRemoval, finishDeletion, versionsOf } from '../../core/jobs/transitions.ts';
import { plus } from '../../core/time.ts';
import { endNow } from '../shared/end-now.ts';
import { logger } from '../shared/observability.ts';
import { uploadEventOf } from '../shared/upload-event.ts';
import { abortParts } from './archive/replace.ts';
import { getArchive, unlessLocked } from './archive/rows.ts';
import { NO_SEQUENCER } from './drops.ts';
import { eachDue } from './due.ts';
import { withLease } from './lease.ts';
import type { SweepServices } from './services.ts';

/**
 * More than the function's time-out: by then this run has finished the media item's deletion, or died, and a later one announces the
 * upload again.
 */
const RUN_SECONDS = 300;
/** Each may remove 1,000 objects by one call. */
const AT_ONCE = 8;
/** What S3 keeps of a deleted media item is tried again after this time. Nobody can play it, or see it. */
const LOCKED_DAYS = 1;
/** More unfinished jobs than any media item has. */
const JOBS = 100;

/**
 * Media items marked for deletion: their jobs end, their objects are removed, and their rows last, so that the next run continues a
 * stopped one.
 */
export async function deleteMedia(services: SweepServices): Promise<void> {
  const work = async (key: RowKey) => {
    const media = await getRow(services.table, key, MediaRow);
    if (media?.state !== 'deleting') return;
    const begun = beginRemoval(media);
    // Lost: the mark was taken back at this moment, or an upload came, and the next run sees that.
    if (!('refused' in begun) && (await apply(services.table, begun.change)) === 'applied')
      await deleteOne(services, media);
  };
  // One run at a time: a slow run must not remove what was published after another finished the deletion.
  await withLease(services, 'deletions', () => eachDue(services, DUE_WORK.delete, work, AT_ONCE));
}

async function deleteOne(services: SweepServices, media: MediaRow): Promise<void> {
  const { table, s3, mediaBucket, now, timeIsUp } = services;
  const jobs = await queryJobs(table, media.mediaId, JOBS);
  const ends = [await endArchive(services, media), await endJobs(services, jobs)].filter((end) => end !== null);
  const atWorkUntil = ends.toSorted().at(-1) ?? null;
  const prefixes = [...mediaPrefixes(media.creatorId, media.mediaId), tmpPrefixOfAll(media.mediaId)];
  for (const prefix of prefixes) {
    // The next run removes the rest of tens of thousands of objects.
    if ((await removePrefix(s3, mediaBucket, prefix, timeIsUp)) === 'stopped') return;
  }
  const key = rowKeys.media(media.mediaId);
  const left = await removeOriginals(services, media);
  if (left === 'stopped') return;
  if (left === 'locked') {
    const set = { todoAt: plus(now, { days: LOCKED_DAYS }) };
    await apply(table, [{ op: 'update', key, expect: { state: 'deleting' }, set }]);
    return;
  }
  if (atWorkUntil !== null) {
    // What is being written at this moment is removed by a later run. Until then the names of its jobs must not be reused.
    const set = { todoAt: atWorkUntil };
    await apply(table, [{ op: 'update', key, expect: { state: 'deleting' }, set }]);
    return;
  }
  const rows = (await queryKeys(table, key.pk)).filter(isVersionKey);
  for (const row of rows) await apply(table, [{ op: 'remove', key: row, expect: {} }]);
  const finished = await applyWithRetry(table, async () => {
    const row = await getRow(table, key, MediaRow);
    if (row?.uploadedAgain) await announceUpload(services, row);
    return row ? finishDeletion(row, now) : { refused: 'it is gone' };
  });
  if (!('refused' in finished)) services.report('mediaDeleted');
}

/** The uploads, and the archive's copies of them. `locked`: S3 keeps one of them. */
async function removeOriginals(services: SweepServices, media: MediaRow): Promise<'removed' | 'stopped' | 'locked'> {
  const { s3, timeIsUp } = services;
  const { creatorId, mediaId } = media;
  const copies = archivePrefix(creatorId, mediaId);
  const uploads = await unlessLocked({ mediaId }, () => removeUploads(services, media));
  const rest = await unlessLocked({ mediaId }, () => removeVersions(s3, media.source.bucket, copies, timeIsUp));
  return uploads === 'locked' ? 'locked' : rest;
}

/** Ends a copy for the archive that is being made: until when something of it may be at work; null where nothing is. */
async function endArchive(services: SweepServices, { mediaId }: MediaRow): Promise<string | null> {
  const { table, now, archive } = services;
  const row = await getArchive(services, mediaId);
  if (!row) return null;
  const { jobId, state, replaced } = row;
  if (replaced) await abortParts(services, row, replaced.copy);
  if (jobId !== undefined && state === 'encoding') {
    const engineJobId = row.engineJobId ?? (await archive.find(jobId));
    if (engineJobId !== null) {
      await archive.cancel(engineJobId, 'the media item is deleted').catch((error: unknown) => {
        logger.warn('not cancelled', { jobId, engineJobId, error });
      });
    }
  }
  await applyWithRetry(table, async () => {
    const is = await getArchive(services, mediaId);
    return is ? archiveOver(is, now) : { refused: 'it is gone' };
  });
  const isEnding = state === 'encoding' || state === 'replacing';
  const until = plus(isEnding ? now : row.at, { ms: ENDING_MS });
  return until > now ? until : null;
}

/** Until when a worker, or publish-output, may be at work for one of them; null when none is. */
async function endJobs(services: SweepServices, jobs: readonly JobRow[]): Promise<string | null> {
  const { now } = services;
  // A cancelled job may have got its engine job since.
  const open = jobs.filter((job) => !hasEnded(job) || job.state === 'cancelled');
  for (const job of open) await endNow(services, job, 'the media item is deleted');
  // Whatever the job's end: two calls of publish-output may be at one job, and only one of them has ended it.
  const ends = jobs.map((job) => plus(hasEnded(job) ? (job.finishedAt ?? now) : now, { ms: ENDING_MS }));
  const last = ends.toSorted().at(-1);
  return last !== undefined && last > now ? last : null;
}

/** The oldest is removed first, so that the version from which the list is read exists until nothing is left behind it. */
async function removeUploads({ s3 }: SweepServices, media: MediaRow): Promise<void> {
  const { bucket, key } = uploadOf(media.source);
  const { versions, deleteMarkers } = await listVersions(s3, { bucket, key });
  const mine = versionsOf(media, versions);
  // Without any remaining version, a marker hides nothing; with a newer upload, it may belong to that one.
  if (mine.length === versions.length) mine.unshift(...deleteMarkers);
  for (const versionId of mine.toReversed()) await remove(s3, { bucket, key, versionId });
}

/** Announces an upload that arrived meanwhile anew, for the time when this media item's row is gone. */
async function announceUpload({ s3, sqs, ingestQueueUrl, now }: SweepServices, media: MediaRow): Promise<void> {
  const { bucket, key } = uploadOf(media.source);
  const found = await head(s3, { bucket, key });
  if (!found) return;
  const event = uploadEventOf(bucket, { key, size: found.size, etag: found.etag }, NO_SEQUENCER, now);
  await send(sqs, ingestQueueUrl, event, RUN_SECONDS);
}
