import type { EngineEnd, EngineState } from '../engine.ts';
import type { Health, Status } from './client.ts';
import { LEAST_SECONDS } from './policy.ts';

/**
 * What the endpoint's word for a job's state means: https://docs.runpod.io/serverless/endpoints/job-states. What it says of a result is
 * not used: an error may be a traceback with addresses in it.
 * @param status null where the endpoint does not know the job
 */
export function stateOf(status: Status | null): EngineState {
  if (!status) return { kind: 'unknown', why: 'the endpoint does not know the job, or not any more' };
  const held = status.executionTime && { vcpus: 1, seconds: [status.executionTime / 1000] };
  const ended = (by: EngineEnd['by'], code: EngineEnd['reason']['code'], message: string): EngineState => ({
    kind: 'ended',
    end: { by, reason: { code, message }, ...(held && { held }) },
  });
  switch (status.status) {
    case 'IN_QUEUE':
      return { kind: 'waiting' };
    case 'IN_PROGRESS':
    case 'RUNNING':
      return { kind: 'running' };
    case 'COMPLETED':
      return ended('itself', 'worker_lost', 'The endpoint reports the job as completed, and there is no result.');
    case 'FAILED':
      return ended('itself', 'worker_lost', 'The worker ended without a result; the log of the endpoint may say why.');
    case 'CANCELLED':
      return ended('outside', 'cancelled', 'The job was cancelled at the endpoint.');
    case 'TIMED_OUT':
      // Also of a job that no worker has taken, and of a worker that was lost.
      return (status.executionTime ?? 0) >= LEAST_SECONDS * 1000
        ? ended('outside', 'job_timeout', 'The job took longer than the time limit that was set for it.')
        : ended('unseen', 'engine_lost', 'The endpoint gave the job up before the time limit that was set for it.');
    default:
      // Of a later release of the endpoint.
      return { kind: 'unknown', why: 'the endpoint has a word for its state that is not documented' };
  }
}

/** Why no job is begun; null where one may be. An endpoint that starts from zero has no worker for a moment only. */
export function blockOf({ jobs, workers }: Health): string | null {
  const { running, initializing, idle, ready } = workers;
  return jobs.inProgress + running + initializing + idle + ready === 0 ? 'The endpoint has no worker.' : null;
}
