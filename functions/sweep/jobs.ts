import { describe, type EngineJob } from '../../aws/batch.ts';
import { getJob, settle } from '../../aws/table.ts';
import { getRows } from '../../aws/table-queries.ts';
import { CHORE, JobRow, rowKeys } from '../../core/contracts/rows.ts';
import { DropreelError } from '../../core/jobs/errors.ts';
import { STALE_AFTER_MS } from '../../core/jobs/rows.ts';
import { stillWaiting } from '../../core/jobs/transitions.ts';
import { askToPublish, failJob } from '../shared/end-job.ts';
import { count, logger } from '../shared/stack.ts';
import { submitJob } from '../shared/submit-job.ts';
import { due, Failures } from './due.ts';
import { repairFromEngine } from './engine-jobs.ts';
import { minutesAfter, type SweepServices } from './services.ts';

/** A job that the engine refuses this long after it was made is given up. */
const GIVE_UP_MINUTES = 60;

/** Unfinished jobs without a sign of life: asks the engine, and S3, and makes up for the events that were missed. */
export async function repairJobs(services: SweepServices): Promise<void> {
  const failures = new Failures();
  for (const todo of [CHORE.job, CHORE.retranscodeJob]) {
    for await (const items of due(services, todo)) {
      const jobs = await getRows(services.table, items, JobRow, true);
      const silent: JobRow[] = [];
      for (const job of jobs.filter((row) => row.todo === todo)) {
        const dueAt = new Date(Date.parse(job.heartbeatAt) + STALE_AFTER_MS).toISOString();
        if (dueAt > services.now) await lookAgain(services, job, dueAt);
        else silent.push(job);
      }
      await repair(services, silent, failures);
    }
  }
  failures.throwFirst();
}

async function repair(services: SweepServices, jobs: readonly JobRow[], failures: Failures): Promise<void> {
  services.did('jobsAsked', jobs.length);
  const atEngine = jobs.filter((job) => job.state !== 'succeeded' && job.engineJobId !== undefined);
  const known = await describe(
    services.batch,
    atEngine.flatMap(({ engineJobId }) => engineJobId ?? []),
  );
  for (const job of jobs) {
    if (services.timeIsUp()) return;
    const { engineJobId = '' } = job;
    await failures.of(rowKeys.job(job.mediaId, job.n), repairOne(services, job, known.get(engineJobId) ?? null));
  }
}

function repairOne(services: SweepServices, job: JobRow, known: EngineJob | null): Promise<void> {
  if (job.state === 'succeeded') return publishAgain(services, job);
  return job.engineJobId === undefined ? submitAgain(services, job) : repairFromEngine(services, job, known);
}

async function publishAgain(services: SweepServices, job: JobRow): Promise<void> {
  await askToPublish(services, job.jobId);
  services.did('jobsRepaired');
  await lookAgain(services, job, new Date(Date.parse(services.now) + STALE_AFTER_MS).toISOString());
}

async function submitAgain(services: SweepServices, job: JobRow): Promise<void> {
  try {
    await submitJob(services.engine, job, true);
    services.did('jobsRepaired');
  } catch (error) {
    const refused = error instanceof DropreelError || (error instanceof Error && error.name === 'ClientException');
    if (!refused || minutesAfter(job.createdAt, GIVE_UP_MINUTES) > services.now) throw error;
    logger.error('given up', { jobId: job.jobId, error });
    await failJob(services.table, job.jobId, 'engine_refused', `AWS Batch refused the job: ${error.message}`);
    services.did('jobsEscalated');
    return;
  }
  await lookAgain(services, job, new Date(Date.parse(services.now) + STALE_AFTER_MS).toISOString());
}

/** Not due again before `todoAt`. With an error: it waits too long, and people are told. */
export async function lookAgain(
  services: SweepServices,
  job: JobRow,
  todoAt: string,
  error?: JobRow['error'],
): Promise<void> {
  if (error) {
    logger.error('escalated', { jobId: job.jobId, code: error.code, reason: error.message });
    count('escalated');
    services.did('jobsEscalated');
  }
  await settle(services.table, async () => {
    const row = await getJob(services.table, job.mediaId, job.n);
    return row ? stillWaiting(row, todoAt, error && { error }) : { none: 'the job is gone' };
  });
}
