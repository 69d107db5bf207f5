import type { z } from 'zod';
import { applyWithRetry, getJob, getMedia } from '../../aws/table.ts';
import {
  DETAIL,
  JobCancelled,
  type JobProgress,
  MediaDeleted,
  SOURCE,
  type TrackMessage,
} from '../../core/contracts/events.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { mayHaveGrown } from '../../core/jobs/growing.ts';
import { hasEnded } from '../../core/jobs/rows.ts';
import { jobFor, jobProgressed, jobRunning } from '../../core/jobs/transitions.ts';
import type { EngineEvent } from '../../engines/engine.ts';
import { ENCODE, readFinish } from '../../engines/mediaconvert/parts.ts';
import type { Engines } from '../../engines/registry.ts';
import { cancelJob } from '../shared/cancel-job.ts';
import { continueJob } from '../shared/continue-job.ts';
import { presetOf } from '../shared/encoding.ts';
import { askToGrow, claimsIn, type EndServices, endJob } from '../shared/end-job.ts';
import { endNow } from '../shared/end-now.ts';
import { count, logger } from '../shared/observability.ts';

export interface TrackServices extends EndServices {
  engines: Engines;
}

/**
 * One event of a worker or an engine, of a deletion, or of a person who ends a job.
 * @throws Error where no engine reads it
 */
export async function track(services: TrackServices, message: z.infer<typeof TrackMessage>): Promise<void> {
  if (isProgress(message)) return workerReported(services, message.detail);
  const deleted = MediaDeleted.safeParse(message);
  if (deleted.success) return mediaDeleted(services, deleted.data.detail);
  const cancelled = JobCancelled.safeParse(message);
  if (cancelled.success) return jobCancelled(services, cancelled.data.detail);
  const event = await services.engines.read(message);
  switch (event.kind) {
    case 'nothing':
      return logger.info('nothing new', { why: event.why });
    case 'blocked':
      return queueBlocked(event);
    case 'ended':
      await endJob(services, event);
      return;
    case 'continues':
      await continueJob(services, event);
      return;
    case 'running':
      return engineStarted(services, event);
  }
}

function isProgress(message: z.infer<typeof TrackMessage>): message is JobProgress {
  return message['detail-type'] === DETAIL.progress && message.source === SOURCE.worker;
}

/** Only the operator can help, so the reason is the engine's own. Sweep notes it on the job. */
function queueBlocked({ queue, job, reason }: Extract<EngineEvent, { kind: 'blocked' }>): void {
  const told = { queue, job, code: 'engine_stuck', reason, decision: 'escalate' };
  logger.error('the queue does not progress', told);
  count('escalated');
}

async function engineStarted(
  services: TrackServices,
  { jobId, engineJobId, part, startedAt }: Extract<EngineEvent, { kind: 'running' }>,
): Promise<void> {
  const { table } = services;
  const { mediaId, n } = parseJobId(jobId);
  const now = new Date().toISOString();
  let over: JobRow | undefined;
  await applyWithRetry(table, async () => {
    const [job, media] = await Promise.all([getJob(table, mediaId, n), getMedia(table, mediaId)]);
    if (job && (isOver(job) || isSecond(job, { engineJobId, part }) || isPast(job, part))) over = job;
    return job
      ? jobRunning(job, media, { engineJobId, part, startedAt: startedAt ?? now, now })
      : { refused: 'the job is gone' };
  });
  if (over) await stop(services, over, engineJobId);
}

async function workerReported(services: TrackServices, report: JobProgress['detail']): Promise<void> {
  const { table } = services;
  const { mediaId, n } = parseJobId(report.jobId);
  // A worker whose clock is ahead would otherwise not be missed until then.
  const at = [report.at, new Date().toISOString()].toSorted()[0] ?? report.at;
  let over: JobRow | undefined;
  let grows = false;
  const { child } = report;
  const outcome = await applyWithRetry(table, async () => {
    const job = await getJob(table, mediaId, n);
    if (!job) return { refused: 'the job is gone' };
    grows = mayHaveGrown(job, report, at);
    const isLate = child?.twin !== undefined && job.part !== report.part;
    if (isOver(job) || isLate || isSecond(job, report)) over = job;
    // Only the first report may have to change the media item's state too.
    const media = job.state === 'queued' ? await getMedia(table, mediaId) : null;
    return jobProgressed(job, media, { ...report, at });
  });
  if (over) await stop(services, over, child?.twin ?? report.engineJobId);
  if (grows) await askToGrow(services, report.jobId);
  if (!('refused' in outcome) && outcome.slow) await startTwin(services, outcome.slow.job, outcome.slow.index);
}

/** Once, as its row says: where this fails, the slow worker is waited for. */
async function startTwin({ engines, mediaBucket }: TrackServices, row: JobRow, index: number): Promise<void> {
  const { jobId, purpose, part, engineJobId } = row;
  if (part === undefined || engineJobId === undefined) return;
  logger.warn('a worker is slow, and is started a second time', { jobId, part, index });
  try {
    const job = jobFor(row, presetOf(row), mediaBucket);
    await engines.get(row.engine).startTwin?.({ job, purpose, part, engineJobId, index });
  } catch (error) {
    logger.warn('not started a second time', { jobId, part, index, error });
  }
}

/** Its job ends at once. Sweep ends it too, and what else of the media item is at work. */
async function mediaDeleted(services: TrackServices, { jobId }: MediaDeleted['detail']): Promise<void> {
  const { mediaId, n } = parseJobId(jobId);
  const [job, media] = await Promise.all([getJob(services.table, mediaId, n), getMedia(services.table, mediaId)]);
  if (job && media?.state === 'deleting' && !hasEnded(job)) await endNow(services, job, 'the media item is deleted');
}

/** What is encoded waits to be published only, which takes seconds. */
async function jobCancelled(services: TrackServices, { jobId }: JobCancelled['detail']): Promise<void> {
  const { mediaId, n } = parseJobId(jobId);
  const job = await getJob(services.table, mediaId, n);
  if (job && !hasEnded(job) && job.state !== 'succeeded') await endNow(services, job, 'somebody has ended it');
}

/**
 * Whether it is another engine job than the one that the row names: of two submissions, of which one had no answer. Of chunks and of an encode by
 * MediaConvert no claim decides between the two, each of which would do, and cost, what the other does.
 */
function isSecond(job: JobRow, { engineJobId, part }: { engineJobId: string; part?: string | undefined }): boolean {
  const isOfThisPart = part !== undefined && job.part === part && claimsIn(part).length === 0;
  return isOfThisPart && job.engineJobId !== undefined && job.engineJobId !== engineJobId;
}

/** Whether it encodes what another submission has encoded: it waited in the queue of MediaConvert for so long. */
function isPast(job: JobRow, part: string | undefined): boolean {
  return part === ENCODE && readFinish(job.part) !== null;
}

/** Whether it ended without anything to publish: a new upload replaced it, its media item was deleted, or it was given up. */
function isOver({ state }: JobRow): boolean {
  return state === 'cancelled' || state === 'failed';
}

/** Ends its worker, whose work is in vain. When this fails, the worker's next sign of life leads here again. */
async function stop(services: TrackServices, { jobId, engine }: JobRow, engineJobId: string): Promise<void> {
  logger.info('a worker for a job that is over', { jobId, engineJobId });
  await cancelJob(services, { jobId, engine, engineJobId }, 'the job is over');
}
