import { getJob } from '../../aws/table.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { Engines } from '../../engines/registry.ts';
import { cancelJob } from './cancel-job.ts';
import { type EndServices, failJob } from './end-job.ts';

/** Ends a job whose media item is being deleted, at its engine too. One that waits to be published has nothing there. */
export async function endDeleted(
  services: Pick<EndServices, 'table' | 'sqs' | 'ingestQueueUrl'> & { engines: Engines },
  { jobId, mediaId, n, engine, engineJobId, state }: JobRow,
): Promise<void> {
  const why = 'the media item is deleted';
  if (engineJobId !== undefined && state !== 'succeeded') {
    await cancelJob(services, { jobId, engine, engineJobId }, why);
  }
  await failJob(services, jobId, { code: 'cancelled', message: 'The media item was deleted.' });
  // It may have been submitted since the row was read, or have gone on with its next part.
  const ended = await getJob(services.table, mediaId, n);
  if (ended?.engineJobId !== undefined && ended.engineJobId !== engineJobId) {
    await cancelJob(services, { jobId, engine: ended.engine, engineJobId: ended.engineJobId }, why);
  }
}
