import { list, remove, removeMany } from '../../aws/s3.ts';
import { apply, getCollection, getJob, getMedia } from '../../aws/table.ts';
import { RESULT_FILE, tmpPrefix } from '../../core/contracts/keys.ts';
import { type JobRow, type MediaRow, rowKeys } from '../../core/contracts/rows.ts';
import { pointerKeys } from '../../core/publish/pointers.ts';
import { logger } from '../shared/stack.ts';
import { removePointersOf } from './flip.ts';
import type { PublishServices } from './services.ts';

/** After the rows: the original, where its collection says so, and what the job left under tmp/ or, overtaken, in its place. */
export async function cleanUp(services: PublishServices, mediaId: string, n: number): Promise<void> {
  const [job, media] = await Promise.all([getJob(services.table, mediaId, n), getMedia(services.table, mediaId)]);
  if (!job || (job.state !== 'published' && job.state !== 'cancelled')) return;
  if (job.state === 'published' && media) await deleteOriginal(services, job, media);
  if (job.state === 'cancelled' && job.access) {
    const keys = pointerKeys(job.creatorId, mediaId, job.access);
    await removePointersOf(services, keys, async (jobs) => jobs.filter((jobId) => jobId === job.jobId));
  }
  await clearTmp(services, job.jobId);
}

/**
 * Only the very version that this job was made from, and only while the media says that this is its source. A flagged media
 * needs it once more: the next job deletes it.
 */
async function deleteOriginal(services: PublishServices, job: JobRow, media: MediaRow): Promise<void> {
  const { bucket, key, versionId } = job.source;
  const mine = media.current?.jobId === job.jobId && media.state === 'ready' && media.jobId === job.jobId;
  const same = media.source.versionId === versionId && bucket === services.uploadsBucket;
  if (!mine || !same || versionId === undefined || media.originalDeletedAt !== undefined) return;
  if (media.scheduleRetranscode) return;
  const collection = await getCollection(services.table, media.creatorId, media.collectionId);
  if (!collection?.deleteOriginal) return;
  await remove(services.s3, { bucket, key, versionId });
  const originalDeletedAt = new Date().toISOString();
  const marked = await apply(services.table, [
    {
      op: 'update',
      key: rowKeys.media(media.mediaId),
      expect: { 'source.versionId': versionId, originalDeletedAt: null },
      set: { originalDeletedAt, updatedAt: originalDeletedAt },
    },
  ]);
  logger.info('original deleted', { key, versionId, marked });
}

/** The result last: as long as it is there, an interrupted call can be told from output that was lost. */
async function clearTmp(services: PublishServices, jobId: string): Promise<void> {
  const { s3, mediaBucket } = services;
  const prefix = tmpPrefix(jobId);
  const result = `${prefix}${RESULT_FILE}`;
  const keys: string[] = [];
  for await (const { key } of list(s3, mediaBucket, prefix)) keys.push(key);
  await removeMany(
    s3,
    mediaBucket,
    keys.filter((key) => key !== result),
  );
  if (keys.includes(result)) await removeMany(s3, mediaBucket, [result]);
}
