import { getRow } from '../../aws/table.ts';
import { countTodo } from '../../aws/table-queries.ts';
import { JobRow } from '../../core/contracts/table/jobs.ts';
import { DUE_WORK } from '../../core/contracts/table/keys.ts';
import { submitJob } from '../shared/submit-job.ts';
import { eachDue } from './due.ts';
import type { SweepServices } from './services.ts';

/** Restored sources that wait for a place do not hold up those behind them. */
const AT_ONCE = 5;

/** Jobs whose source is being restored: asks for the restore, and submits those that can be read by now. Re-transcodes keep to their cap. */
export async function resumeRestored(services: SweepServices): Promise<void> {
  const { table, maxRetranscodes } = services;
  let unfinished: Promise<number> | undefined;
  let begun = 0;
  await eachDue(
    services,
    DUE_WORK.restoringJob,
    async (key) => {
      const job = await getRow(table, key, JobRow);
      if (job?.todo !== DUE_WORK.restoringJob) return;
      if (job.purpose === 'retranscode') {
        unfinished ??= countTodo(table, DUE_WORK.retranscodeJob, maxRetranscodes);
        if ((await unfinished) + begun >= maxRetranscodes) return;
        begun++;
      }
      const done = await submitJob(services, job, 'restore');
      if (done === 'submitted') services.report('jobsRestored');
      else if (job.purpose === 'retranscode') begun--;
    },
    AT_ONCE,
  );
}
