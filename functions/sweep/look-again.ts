import { applyWithRetry, getJob } from '../../aws/table.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { stillWaiting } from '../../core/jobs/transitions.ts';
import type { SweepServices } from './services.ts';

/** Makes the job due again at `todoAt`. With an error: the reason why it cannot run now, or null where there is none any more, unless it has begun, or gone on, meanwhile. */
export async function lookAgain(
  services: SweepServices,
  job: JobRow,
  todoAt: string,
  error?: JobRow['error'] | null,
): Promise<void> {
  await applyWithRetry(services.table, async () => {
    const row = await getJob(services.table, job.mediaId, job.n);
    if (!row) return { refused: 'the job is gone' };
    const isAsSeen = row.state === job.state && row.part === job.part && row.engineJobId === job.engineJobId;
    return stillWaiting(row, todoAt, error !== undefined && isAsSeen ? { error } : {});
  });
}
