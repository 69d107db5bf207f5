import { applyWithRetry, getJob, getMedia, getRow } from '../../aws/table.ts';
import type { ObjectMoved } from '../../core/contracts/events.ts';
import { mediaIdFor, parseJobId } from '../../core/contracts/ids.ts';
import { parseArchiveKey, parseDropKey } from '../../core/contracts/keys.ts';
import { ArchiveRow } from '../../core/contracts/table/archive.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import type { Source } from '../../core/contracts/table/media.ts';
import { movedVersion } from '../../core/jobs/archive-class.ts';
import { archiveHeard } from '../../core/jobs/archive-restore.ts';
import { sourceRestored } from '../../core/jobs/transitions.ts';
import { logger } from '../shared/observability.ts';
import { type SubmitServices, submitJob } from '../shared/submit-job.ts';

/**
 * A version can be read again, or is in another class: what waited for it goes on. An encode of an upload begins at once; a re-transcode with
 * the next run of sweep, which counts them. The event may come twice, late or never: sweep looks for itself, more slowly.
 */
export async function carryOnWith(services: SubmitServices, { bucket, object }: ObjectMoved['detail']): Promise<void> {
  const { table } = services;
  const now = new Date().toISOString();
  const mediaId = await mediaOf(bucket.name, object.key);
  if (mediaId === null) return;
  const media = await getMedia(table, mediaId);
  const isOfEvent = ({ key, versionId }: Pick<Source, 'key' | 'versionId'>) =>
    key === object.key && versionId === object['version-id'];
  await applyWithRetry(table, async () => {
    const row = await getRow(table, rowKeys.archive(mediaId), ArchiveRow);
    return row && isOfEvent(movedVersion(row)) ? archiveHeard(row, now) : { refused: 'it is not in the archive' };
  });
  if (media?.jobId === undefined) return;
  const { n } = parseJobId(media.jobId);
  const job = await getJob(table, mediaId, n);
  if (!job || !isOfEvent(job.source) || job.todo !== DUE_WORK.restoringJob) return;
  logger.info('source restored', { jobId: job.jobId });
  if (job.purpose === 'ingest') await submitJob(services, job);
  else {
    await applyWithRetry(table, async () => {
      const row = await getJob(table, mediaId, n);
      return row ? sourceRestored(row, now) : { refused: 'the job is gone' };
    });
  }
}

async function mediaOf(bucket: string, key: string): Promise<string | null> {
  return parseDropKey(key) ? mediaIdFor(bucket, key) : (parseArchiveKey(key)?.mediaId ?? null);
}
