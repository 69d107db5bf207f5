import { getJob } from '../../aws/table.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { CancelReason } from '../../engines/engine.ts';
import type { Engines } from '../../engines/registry.ts';
import { cancelJob } from './cancel-job.ts';
import { type EndServices, failJob } from './end-job.ts';

const SAID = {
  'the media item is deleted': 'The media item was deleted.',
  'somebody has ended it': 'Somebody has ended it.',
} as const satisfies { readonly [Why in CancelReason]?: string };

/** Ends a job that somebody does not want any more, at its engine too. One that waits to be published has nothing there. */
export async function endNow(
  services: Pick<EndServices, 'table' | 'sqs' | 'ingestQueueUrl' | 'publishQueueUrl'> & { engines: Engines },
  { jobId, mediaId, n, engine, engineJobId, state }: JobRow,
  why: keyof typeof SAID,
): Promise<void> {
  if (engineJobId !== undefined && state !== 'succeeded') {
    await cancelJob(services, { jobId, engine, engineJobId }, why);
  }
  await failJob(services, jobId, { code: 'cancelled', message: SAID[why] });
  // It may have been submitted since the row was read, or have gone on with its next part.
  const ended = await getJob(services.table, mediaId, n);
  if (ended?.engineJobId !== undefined && ended.engineJobId !== engineJobId) {
    await cancelJob(services, { jobId, engine: ended.engine, engineJobId: ended.engineJobId }, why);
  }
}
