import { head, list } from '../../aws/s3.ts';
import { applyWithRetry, getJob, getMedia } from '../../aws/table.ts';
import { PARTS_PREFIX, tmpPrefix } from '../../core/contracts/keys.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { jobRunning } from '../../core/jobs/transitions.ts';
import { plus } from '../../core/time.ts';
import { readPart } from '../../engines/batch/parts.ts';
import { type EngineState, NO_SIGN_OF_LIFE } from '../../engines/engine.ts';
import { cancelJob } from '../shared/cancel-job.ts';
import { continueJob } from '../shared/continue-job.ts';
import { mayMoveOn } from '../shared/decide-submission.ts';
import { claimsIn, endJob, failJob } from '../shared/end-job.ts';
import { logger } from '../shared/observability.ts';
import { lookAgain } from './look-again.ts';
import type { SweepServices } from './services.ts';

/** A worker reports each 30 s, whatever it is doing; one that has been silent for this long is ended. */
const SILENT_MINUTES = 60;
/** A job that its engine says is blocked may leave it after this time. */
const BLOCKED_MINUTES = 30;
/** Between two checks of a job that the engine still has. */
const LOOK_MINUTES = 15;

type AtEngine = JobRow & { engineJobId: string };

/** Handles a job without a sign of life, by its state in the engine. */
export async function repairFromEngine(services: SweepServices, job: AtEngine, state: EngineState): Promise<void> {
  const { jobId, engineJobId } = job;
  const next = plus(services.now, { minutes: LOOK_MINUTES });
  switch (state.kind) {
    case 'ended': {
      const done = await endJob(services, { jobId, engineJobId, part: job.part, end: state.end });
      if (done !== 'ignored') services.report('jobsRepaired');
      return;
    }
    case 'continues': {
      const { kind: _, ...ended } = state;
      const done = await continueJob(services, { jobId, engineJobId, part: job.part, ...ended });
      if (done !== 'ignored') services.report('jobsRepaired');
      return;
    }
    case 'running':
      return stillRunning(services, job, state, next);
    case 'waiting': {
      // However long it waits for its turn: watchEngines detects whether the queue progresses at all.
      const { blockedBy: message } = state;
      if (message === undefined) return lookAgain(services, job, next, null);
      const since = job.error?.code === 'engine_stuck' ? job.error.at : services.now;
      if (
        plus(since, { minutes: BLOCKED_MINUTES }) <= services.now &&
        (await leaves(services, job, `${job.engine} does not begin it: ${message}`))
      )
        return;
      return lookAgain(services, job, next, { code: 'engine_stuck', message, at: since });
    }
    case 'unknown':
      logger.warn('the engine does not know the state of a job', { jobId, engineJobId, why: state.why });
      return stateUnknown(services, job, next);
    case 'unanswered':
      await unanswered(services, job, state.error, next);
      // A run in which an engine did not answer has failed.
      throw state.error;
  }
}

/**
 * A job that `auto` gave to an engine where it is blocked goes to another one, under another number. Its engine job is ended after that: if
 * it begins nevertheless, its first sign of life ends it.
 */
async function leaves(services: SweepServices, job: AtEngine, message: string): Promise<boolean> {
  const { jobId, engine, engineJobId } = job;
  const media = await getMedia(services.table, job.mediaId);
  if (media?.jobId !== jobId || !(await mayMoveOn(services, job, media.sourceInfo ?? {}))) return false;
  const ended = await failJob(services, jobId, {
    code: 'engine_down',
    message,
    movesFrom: services.engines.servedBy(job),
    unless: (row) =>
      row.state === 'queued' && row.engineJobId === engineJobId ? null : { refused: 'it has begun meanwhile' },
  });
  if (ended !== 'failed') return true;
  services.report('jobsRepaired');
  await cancelJob(services, { jobId, engine, engineJobId }, 'the job is over');
  return true;
}

/**
 * Its outputs decide while its worker gives signs of life; after that it is cancelled, should it run after all, and the job's next try
 * writes elsewhere.
 */
async function stateUnknown(services: SweepServices, job: AtEngine, next: string): Promise<void> {
  const { now, engines } = services;
  const { jobId, engineJobId } = job;
  const heardAt = await lastSignOfLife(services, job);
  if (plus(heardAt, { minutes: SILENT_MINUTES }) > now) return lookAgain(services, job, next, null);
  const engine = engines.get(job.engine);
  await engine.cancel(engineJobId, NO_SIGN_OF_LIFE);
  const message = `There was no sign of life since ${heardAt}, and ${engine.title} does not know the job.`;
  const end = { by: 'unseen' as const, reason: { code: 'engine_lost' as const, message } };
  await endJob(services, { jobId, engineJobId, part: job.part, end });
  services.report('jobsRepaired');
}

/**
 * A job of which its engine has said nothing for an hour, nor its worker: one that `auto` gave to it and that waits goes to another engine,
 * and any other is tried once more. A worker that runs nevertheless is refused by the API, or ended at its next sign of life.
 */
async function unanswered(services: SweepServices, job: AtEngine, error: unknown, next: string): Promise<void> {
  const { now } = services;
  const { jobId, engine, engineJobId } = job;
  const message = `${engine} does not say how the job is: ${error instanceof Error ? error.message : String(error)}`;
  const since = job.error?.code === 'engine_down' ? job.error.at : now;
  const heardAt = await lastSignOfLife(services, job);
  const isRecent = (at: string) => plus(at, { minutes: SILENT_MINUTES }) > now;
  if (isRecent(since) || isRecent(heardAt)) {
    return lookAgain(services, job, next, { code: 'engine_down', message, at: since });
  }
  if (job.state === 'queued' && (await leaves(services, job, message))) return;
  await cancelJob(services, { jobId, engine, engineJobId }, NO_SIGN_OF_LIFE);
  const end = { by: 'unseen' as const, reason: { code: 'engine_lost' as const, message } };
  await endJob(services, { jobId, engineJobId, part: job.part, end });
  services.report('jobsRepaired');
}

async function stillRunning(
  services: SweepServices,
  job: AtEngine,
  state: Extract<EngineState, { kind: 'running' }>,
  next: string,
): Promise<void> {
  const { table, now, engines } = services;
  const { jobId, engineJobId } = job;
  if (job.state === 'queued') {
    const startedAt = state.startedAt ?? now;
    await applyWithRetry(table, async () => {
      const [row, media] = await Promise.all([getJob(table, job.mediaId, job.n), getMedia(table, job.mediaId)]);
      return row
        ? jobRunning(row, media, { engineJobId, part: job.part, startedAt, now })
        : { refused: 'the job is gone' };
    });
    services.report('jobsRepaired');
    return lookAgain(services, job, next, null);
  }
  const heardAt = await lastSignOfLife(services, job, state.seenAt);
  if (plus(heardAt, { minutes: SILENT_MINUTES }) > now) return lookAgain(services, job, next, null);
  const engine = engines.get(job.engine);
  await engine.cancel(engineJobId, NO_SIGN_OF_LIFE);
  const message = `The worker has given no sign of life since ${heardAt}, though ${engine.title} said that it ran.`;
  const end = { by: 'unseen' as const, reason: { code: 'worker_stuck' as const, message } };
  await endJob(services, { jobId, engineJobId, part: job.part, end });
  services.report('jobsRepaired');
}

/**
 * From its events, its claim, which it rewrites, what the workers of chunks have written, or its engine: a region without events, or a queue
 * that is late, ends no worker.
 */
async function lastSignOfLife(services: SweepServices, job: JobRow, seenAt = ''): Promise<string> {
  const { s3, mediaBucket, now } = services;
  const prefix = tmpPrefix(job.jobId);
  const known = [job.heartbeatAt, seenAt].toSorted().at(-1) ?? '';
  if (readPart(job.part)?.name === 'chunks' && plus(known, { minutes: SILENT_MINUTES }) <= now) {
    let newest = known;
    for await (const { lastModified } of list(s3, mediaBucket, `${prefix}${PARTS_PREFIX}`)) {
      const at = lastModified.toISOString();
      if (at > newest) newest = at;
    }
    return newest;
  }
  const claims = await Promise.all(
    claimsIn(job.part).map((name) => head(s3, { bucket: mediaBucket, key: `${prefix}${name}` })),
  );
  const signs = [job.heartbeatAt, ...claims.map((claim) => claim?.lastModified.toISOString() ?? ''), seenAt];
  return signs.toSorted().at(-1) ?? job.heartbeatAt;
}
