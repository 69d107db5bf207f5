import { list, remove, removeMany } from '../../aws/s3.ts';
import { applyWithRetry, getCollection, getJob, getMedia } from '../../aws/table.ts';
import { CLAIM_FILE, JOIN_CLAIM_FILE, PREPARE_CLAIM_FILE, RESULT_FILE, tmpPrefix } from '../../core/contracts/keys.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { originalDeleted } from '../../core/jobs/transitions.ts';
import { pointerKeys } from '../../core/publish/pointers.ts';
import { logger } from '../shared/observability.ts';
import { takeBack } from './grow.ts';
import type { PublishServices } from './services.ts';
import { removePointersOf } from './switch-pointers.ts';

/**
 * Runs after the rows are written: removes the original, where its collection says so, and what the job left under tmp/ or, when
 * superseded, in its place.
 */
export async function cleanUp(services: PublishServices, mediaId: string, n: number): Promise<void> {
  const [job, media] = await Promise.all([getJob(services.table, mediaId, n), getMedia(services.table, mediaId)]);
  if (!job || (job.state !== 'published' && job.state !== 'cancelled')) return;
  if (job.state === 'published' && media) await deleteOriginal(services, job, media);
  if (job.state === 'cancelled' && job.access) {
    const keys = pointerKeys(job.creatorId, mediaId, job.access);
    await removePointersOf(services, keys, async (jobs) => jobs.filter((jobId) => jobId === job.jobId));
    if (job.growing) await takeBack(services, job);
  }
  await clearTmp(services, job.jobId);
}

/**
 * Deletes only the very version that this job was made from, and only while it is the media item's source and an upload: a copy of the
 * archive may be all that is left. A flagged media item needs it
 * once more: the next job deletes it.
 */
async function deleteOriginal(services: PublishServices, job: JobRow, media: MediaRow): Promise<void> {
  const { bucket, key, versionId } = job.source;
  const mine = media.current?.jobId === job.jobId && media.state === 'ready' && media.jobId === job.jobId;
  const same = media.source.versionId === versionId && bucket === services.uploadsBucket;
  if (!mine || !same || versionId === undefined || media.originalDeletedAt !== undefined) return;
  if (media.scheduleRetranscode || media.source.archivedFrom) return;
  // A person has asked for it, and its copy is removed.
  if (media.archive?.reason === 'restored') return;
  const collection = await getCollection(services.table, media.creatorId, media.collectionId);
  if (!collection?.deleteOriginal) return;
  await remove(services.s3, { bucket, key, versionId });
  const marked = await applyWithRetry(services.table, async () => {
    const row = await getMedia(services.table, media.mediaId);
    return row ? originalDeleted(row, versionId, new Date().toISOString()) : { refused: 'the media item is gone' };
  });
  logger.info('original deleted', { key, versionId, ...('refused' in marked && { notNoted: marked.refused }) });
}

/**
 * Removes everything but the claims and the result, which the bucket's rule removes some days later: an engine job that starts only now, a
 * duplicate or an attempt after the last one's host was lost, finds from them that there is nothing left to do.
 */
async function clearTmp({ s3, mediaBucket }: PublishServices, jobId: string): Promise<void> {
  const prefix = tmpPrefix(jobId);
  const kept = [CLAIM_FILE, RESULT_FILE, PREPARE_CLAIM_FILE, JOIN_CLAIM_FILE].map((file) => `${prefix}${file}`);
  const keys: string[] = [];
  for await (const { key } of list(s3, mediaBucket, prefix)) if (!kept.includes(key)) keys.push(key);
  await removeMany(s3, mediaBucket, keys);
}
