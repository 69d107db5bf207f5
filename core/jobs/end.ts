import type { Succeeded } from '../contracts/job.ts';
import { type JobRow, STEPS } from '../contracts/table/jobs.ts';
import type { Failure, MediaRow, SourceInfo } from '../contracts/table/media.ts';
import { plus } from '../time.ts';
import type { Outcome, Write } from './change.ts';
import { type Held, heldInVain } from './cost.ts';
import { jobOfAnotherTry, jobOfPending } from './next.ts';
import { expireVersion } from './publication.ts';
import { changeJob, changeMedia, ENDING_MS, endJobRow, hasEnded, isUploadOf, withStep } from './rows.ts';
import { settle } from './spending.ts';
import type { Encoding } from './start.ts';

/** How a job ends, and what follows for its media item. */

/**
 * The worker's result says succeeded: its output waits to be published.
 * @param held what its engine job held, where that is known
 */
export function jobSucceeded(job: JobRow, result: Succeeded, now: string, held?: Held): Outcome {
  if (hasEnded(job) || job.state === 'succeeded') return { refused: `the job is ${job.state}` };
  let { steps } = job;
  for (const name of STEPS.toReversed()) {
    // A result exists, so every step was done, each before the next; the event of that step was lost or is still under way.
    const next = steps.find((step) => STEPS.indexOf(step.name) > STEPS.indexOf(name));
    if (!steps.some((step) => step.name === name)) steps = withStep(steps, { name, at: next?.at ?? now });
  }
  const set: Partial<JobRow> = {
    state: 'succeeded',
    progress: 100,
    steps,
    heartbeatAt: now,
    startedAt: job.startedAt ?? now,
    preset: result.preset,
  };
  if (result.gpu) set.gpu = result.gpu;
  const inVain = held ? heldInVain(held, result.usage.wallSeconds) : 0;
  if (inVain > 0) set.heldInVain = (job.heldInVain ?? 0) + inVain;
  return { change: [changeJob(job, set, ['error'])] };
}

/**
 * A job ended without anything to publish. If it is the media's current job, the media continues with the waiting upload or with
 * another attempt; otherwise it becomes `failed`, or `ready` again if it can be played, with the error recorded. Sweep removes what
 * was copied for the job.
 * @param how `preset` and `engine` are for the next job, if there is one; `reclaimed`: the machine was taken away; `onlyAttempt`: its
 *   engine makes no others by itself; `cost` where it is known; `found`: what the worker had learnt of the source before it failed;
 *   `movesFrom`: the engine that it moves on from, where that is not its own
 */
export function jobFailed(
  job: JobRow,
  media: MediaRow | null,
  error: Failure,
  how: Encoding & {
    reclaimed: boolean;
    onlyAttempt?: boolean;
    cost?: JobRow['cost'];
    found?: SourceInfo | undefined;
    movesFrom?: string | undefined;
  },
): Outcome<{ next?: JobRow }> {
  if (hasEnded(job)) return { refused: `the job is ${job.state}` };
  const state = error.code === 'cancelled' || error.code === 'source_changed' ? 'cancelled' : 'failed';
  const { cost } = how;
  const change: Write[] = endJobRow(job, error.at, { state, error, ...(cost && { cost }) });
  // Another invocation of publish-output may still be copying.
  if (job.access) change.push(expireVersion(job, job.n, plus(error.at, { ms: ENDING_MS }), job.access));
  if (!media || media.jobId !== job.jobId || !isUnderWay(media)) return { change };
  const next = jobOfPending(media, how, error.at) ?? jobOfAnotherTry(job, media, error, how);
  if (!next) {
    const known = how.found && !media.current && isUploadOf(job, media) ? learnt(media, how.found) : {};
    change.push(changeMedia(media, error.at, { state: media.current ? 'ready' : 'failed', error, ...known }));
    return { change };
  }
  change.push(changeMedia(media, error.at, next.set, next.remove), next.put);
  return { change, next: next.job };
}

/** A preflight that could not read the source leaves this to the worker, whether it succeeds or not. */
function learnt(media: MediaRow, { durationSeconds: _, ...found }: SourceInfo): Pick<MediaRow, 'kind' | 'sourceInfo'> {
  // Nothing was decoded to its end: the length is what the container claims, and DynamoDB does not take every number.
  return { kind: found.width === undefined ? 'audio' : 'video', sourceInfo: { ...media.sourceInfo, ...found } };
}

/**
 * Records the cost of a job that was ended before its cost was known, or only that of its earlier parts: its engine job ended later. An event
 * that comes again says no more than the row.
 */
export function costKnown(job: JobRow, cost: JobRow['cost']): Outcome {
  const { cost: before } = job;
  if (!cost || (before && (job.state === 'published' || before.usd >= cost.usd))) {
    return { refused: 'nothing is new of its cost' };
  }
  if (!hasEnded(job)) return { refused: `the job is ${job.state}` };
  const { charged, adds = [] } = settle(job, cost) ?? {};
  const expect = before ? { 'cost.usd': before.usd } : { cost: null };
  return { change: [changeJob(job, { cost, ...(charged && { charged }) }, [], expect), ...adds] };
}

export function isUnderWay(media: Pick<MediaRow, 'state'>): boolean {
  return media.state === 'uploaded' || media.state === 'transcoding' || media.state === 'retranscoding';
}
