import type { Succeeded } from '../contracts/job.ts';
import type { Failure, JobRow, MediaRow } from '../contracts/rows.ts';
import type { Outcome, Update } from './change.ts';
import { expireVersion } from './publication.ts';
import { changeJob, changeMedia, endJob, hasEnded } from './rows.ts';

/** How a job ends, and what becomes of its media. */

/** The worker's result says succeeded: its output waits to be published. */
export function jobSucceeded(job: JobRow, result: Succeeded, now: string): Outcome {
  if (hasEnded(job) || job.state === 'succeeded') return { none: `the job is ${job.state}` };
  const steps = [...job.steps];
  for (const name of ['pulled', 'transcoded', 'pushed'] as const) {
    // A result is there, so each step was made; its own event was lost or is still under way.
    if (!steps.some((step) => step.name === name)) steps.push({ name, at: now });
  }
  const set: Partial<JobRow> = {
    state: 'succeeded',
    progress: 100,
    steps,
    heartbeatAt: now,
    startedAt: job.startedAt ?? now,
    preset: result.preset,
  };
  return { change: [changeJob(job, set, ['error'])] };
}

/**
 * A job ended without anything to publish. Its media, when this is its current job, becomes `failed`; one that can be played
 * goes back to `ready` with the error recorded. What was copied of it is removed by sweep.
 */
export function jobFailed(job: JobRow, media: MediaRow | null, error: Failure): Outcome {
  if (hasEnded(job)) return { none: `the job is ${job.state}` };
  const state = error.code === 'cancelled' || error.code === 'source_changed' ? 'cancelled' : 'failed';
  const change: Update[] = [endJob(job, error.at, { state, error }), ...afterFailure(job, media, error)];
  if (job.access) change.push(expireVersion(job, job.n, error.at, job.access));
  return { change };
}

function afterFailure(job: JobRow, media: MediaRow | null, error: Failure): Update[] {
  if (!media || media.jobId !== job.jobId || !isUnderWay(media)) return [];
  return [changeMedia(media, error.at, { state: media.current ? 'ready' : 'failed', error })];
}

export function isUnderWay(media: MediaRow): boolean {
  return media.state === 'uploaded' || media.state === 'transcoding' || media.state === 'retranscoding';
}
