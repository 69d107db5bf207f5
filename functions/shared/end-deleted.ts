import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { Engines } from '../../engines/registry.ts';
import { cancelJob } from './cancel-job.ts';
import { type EndServices, failJob } from './end-job.ts';

/** Ends a job whose media item is being deleted, at its engine too. One that waits to be published has nothing there. */
export async function endDeleted(
  services: Pick<EndServices, 'table' | 'sqs' | 'ingestQueueUrl'> & { engines: Engines },
  { jobId, engine, engineJobId, state }: JobRow,
): Promise<void> {
  if (engineJobId !== undefined && state !== 'succeeded') {
    await cancelJob(services, { jobId, engine, engineJobId }, 'the media item is deleted');
  }
  await failJob(services, jobId, { code: 'cancelled', message: 'The media item was deleted.' });
}
