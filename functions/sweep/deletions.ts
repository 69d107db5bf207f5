import { cancel } from '../../aws/batch.ts';
import { listVersions, remove, removePrefix } from '../../aws/s3.ts';
import { apply, getRow, settle } from '../../aws/table.ts';
import { queryJobs, queryKeys } from '../../aws/table-queries.ts';
import { mediaPrefixes, tmpPrefix } from '../../core/contracts/keys.ts';
import { CHORE, type JobRow, MediaRow, rowKeys } from '../../core/contracts/rows.ts';
import { hasEnded } from '../../core/jobs/rows.ts';
import { bury } from '../../core/jobs/transitions.ts';
import { failJob } from '../shared/end-job.ts';
import { logger } from '../shared/stack.ts';
import { eachDue } from './due.ts';
import { minutesAfter, type SweepServices } from './services.ts';

/** Lambda's longest run, and more than AWS Batch takes to end a worker: what was at work before it has surely ended after it. */
const ENDING_MINUTES = 16;
/** More jobs than any media has unfinished. */
const JOBS = 100;

/** Media marked for deletion: their jobs end, their objects go, and their rows last, so that a stopped run is taken up again. */
export async function deleteMedia(services: SweepServices): Promise<void> {
  await eachDue(services, CHORE.delete, async (key) => {
    const media = await getRow(services.table, key, MediaRow);
    if (media?.state === 'deleting') await deleteOne(services, media);
  });
}

async function deleteOne(services: SweepServices, media: MediaRow): Promise<void> {
  const { table, s3, mediaBucket, now } = services;
  const jobs = await queryJobs(table, media.mediaId, JOBS);
  const atWork = await endJobs(services, jobs);
  for (const prefix of mediaPrefixes(media.creatorId, media.mediaId)) await removePrefix(s3, mediaBucket, prefix);
  for (const { jobId } of jobs) await removePrefix(s3, mediaBucket, tmpPrefix(jobId));
  await removeUploads(services, media);
  const key = rowKeys.media(media.mediaId);
  if (atWork) {
    // What it writes at this moment is removed by a later run. Until then nobody may take its names, the jobs', again.
    const set = { todoAt: minutesAfter(now, ENDING_MINUTES) };
    await apply(table, [{ op: 'update', key, expect: { state: 'deleting' }, set }]);
    return;
  }
  const rows = (await queryKeys(table, key.pk)).filter(({ sk }) => sk.startsWith('JOB#') || sk.startsWith('OLD#'));
  for (const row of rows) await apply(table, [{ op: 'remove', key: row, expect: {} }]);
  const buried = await settle(table, async () => {
    const row = await getRow(table, key, MediaRow);
    return row ? bury(row, now) : { none: 'it is gone' };
  });
  if (!('none' in buried)) services.did('mediaDeleted');
}

/** Whether a worker, or publish-output, may yet be at work for one of them. */
async function endJobs(services: SweepServices, jobs: readonly JobRow[]): Promise<boolean> {
  const { now } = services;
  // A cancelled one may have got its engine job since.
  const open = jobs.filter((job) => !hasEnded(job) || job.state === 'cancelled');
  for (const { jobId, engineJobId, state } of open) {
    if (engineJobId !== undefined && state !== 'succeeded') {
      await cancel(services.batch, engineJobId, 'the media is deleted').catch((error: unknown) => {
        // The engine's job runs to its end for nothing.
        logger.warn('not cancelled', { jobId, error });
      });
    }
    await failJob(services.table, jobId, 'cancelled', 'The media was deleted.');
  }
  return open.some((job) => !hasEnded(job) || minutesAfter(job.finishedAt ?? now, ENDING_MINUTES) > now);
}

/** Every version that was there when the media was marked; one that came later is a new upload. */
async function removeUploads({ s3 }: SweepServices, media: MediaRow): Promise<void> {
  const { bucket, key } = media.source;
  const markedAt = Date.parse(media.updatedAt);
  for await (const { versionId, lastModified } of listVersions(s3, bucket, key)) {
    if (lastModified.getTime() <= markedAt) await remove(s3, { bucket, key, versionId });
  }
}
