import type { EngineJob } from '../../aws/batch.ts';
import { getCollection, getJob, getMedia, settle } from '../../aws/table.ts';
import type { JobRow } from '../../core/contracts/rows.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import { decide } from '../../core/jobs/errors.ts';
import { jobRunning, startAgain } from '../../core/jobs/transitions.ts';
import { endJob, failJob, readResult } from '../shared/end-job.ts';
import { presetNamed } from '../shared/preset.ts';
import { submitJob } from '../shared/submit-job.ts';
import { lookAgain } from './jobs.ts';
import { minutesAfter, type SweepServices } from './services.ts';

/** A job that waits in the engine for longer than this is no longer just waiting its turn. */
const STUCK_MINUTES = 30;
/** Between two looks at a job that the engine still has. */
const LOOK_MINUTES = 15;
/** A lost job was never tried again by the engine: it gets one more, as a new job. */
const LOST_ATTEMPTS = 2;

/** A job without a sign of life, and what the engine says of it: null when it does not know it. */
export async function repairFromEngine(services: SweepServices, job: JobRow, known: EngineJob | null): Promise<void> {
  if (!known) return engineLost(services, job);
  if (known.status === 'SUCCEEDED' || known.status === 'FAILED') {
    const { status, engineJobId, exitCode, containerReason, statusReason } = known;
    const end = { status, engineJobId, exitCode, containerReason, statusReason };
    if ((await endJob(services, job.jobId, end)) !== 'ignored') services.did('jobsRepaired');
    return;
  }
  const next = minutesAfter(services.now, LOOK_MINUTES);
  if (known.status === 'RUNNING') return stillRunning(services, job, known, next);
  const waitsSince = known.createdAt === undefined ? job.createdAt : new Date(known.createdAt).toISOString();
  const stuck = minutesAfter(waitsSince, STUCK_MINUTES) <= services.now;
  const message = `AWS Batch holds the job as ${known.status} since ${waitsSince}.`;
  await lookAgain(services, job, next, stuck ? { code: 'engine_stuck', message, at: services.now } : undefined);
}

async function stillRunning(services: SweepServices, job: JobRow, known: EngineJob, next: string): Promise<void> {
  const { table, now } = services;
  if (job.state === 'queued') {
    const startedAt = known.startedAt === undefined ? now : new Date(known.startedAt).toISOString();
    await settle(table, async () => {
      const [row, media] = await Promise.all([getJob(table, job.mediaId, job.n), getMedia(table, job.mediaId)]);
      return row
        ? jobRunning(row, media, { engineJobId: known.engineJobId, startedAt, now })
        : { none: 'the job is gone' };
    });
    services.did('jobsRepaired');
    return lookAgain(services, job, next);
  }
  // The time limit of the job definition ends a worker that hangs; until then it may yet be at work.
  const message = `The worker has not been heard since ${job.heartbeatAt}, though AWS Batch says that it runs.`;
  await lookAgain(services, job, next, { code: 'engine_stuck', message, at: now });
}

async function engineLost(services: SweepServices, job: JobRow): Promise<void> {
  const { table, now } = services;
  services.did('jobsRepaired');
  const result = await readResult(services, job.jobId);
  if (result) {
    const status = result.status === 'succeeded' ? 'SUCCEEDED' : 'FAILED';
    await endJob(services, job.jobId, { engineJobId: job.engineJobId ?? '', status, exitCode: undefined });
    return;
  }
  await failJob(table, job.jobId, 'engine_lost', 'AWS Batch no longer knows the job.');
  const outcome = await settle(table, async (): Promise<Outcome<{ job: JobRow }>> => {
    const media = await getMedia(table, job.mediaId);
    if (!media || media.jobId !== job.jobId) return { none: 'another job decides' };
    if (decide('engine_lost', media.attempts, LOST_ATTEMPTS) !== 'retry') return { none: 'tried often enough' };
    const collection = await getCollection(table, media.creatorId, media.collectionId);
    const { purpose, source } = job;
    return startAgain(media, { purpose, source, preset: presetNamed(collection?.preset ?? ''), now });
  });
  if (!('none' in outcome)) await submitJob(services.engine, outcome.job, false);
}
