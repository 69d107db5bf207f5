import type { JobProgress } from '../contracts/events.ts';
import type { JobRow, MediaRow } from '../contracts/rows.ts';
import type { Outcome } from './change.ts';
import { after, changeJob, hasEnded, STALE_AFTER_MS } from './rows.ts';
import { toTranscoding } from './start.ts';

/** What a job's row learns while the engine has it. Events come twice, late and in any order. */

/** The least time between two writes of a heartbeat; a finished step is written at once. */
export const HEARTBEAT_MS = 2_000;
/** `todoAt` is the key of an index, so it follows the heartbeat in steps of this, and stays ahead of the present. */
const TODO_STEP_MS = 5 * 60_000;

/** The engine says that the job runs. A job that ran or ended by then learns nothing from it. */
export function jobRunning(
  job: JobRow,
  media: MediaRow | null,
  seen: { engineJobId: string; startedAt: string; now: string },
): Outcome {
  if (job.state !== 'queued') return { none: `the job is ${job.state}` };
  if (job.engineJobId !== undefined && job.engineJobId !== seen.engineJobId) return { none: 'of another engine job' };
  const { engineJobId, startedAt, now } = seen;
  const set: Partial<JobRow> = { state: 'running', engineJobId, startedAt, heartbeatAt: later(job.heartbeatAt, now) };
  return { change: [changeJob(job, set, ['error']), ...toTranscoding(job, media, now)] };
}

/** The worker reports. It holds the claim, so the engine job that it names is the one that counts. */
export function jobProgressed(job: JobRow, media: MediaRow | null, report: JobProgress['detail']): Outcome {
  if (job.state !== 'queued' && job.state !== 'running') return { none: `the job is ${job.state}` };
  if (report.attempt < job.attempt) return { none: 'of an earlier attempt' };
  const again = report.attempt > job.attempt;
  const step =
    report.step !== undefined && !job.steps.some(({ name }) => name === report.step) ? report.step : undefined;
  const moved = again || report.percent > job.progress;
  const rested = Date.parse(report.at) - Date.parse(job.heartbeatAt) >= HEARTBEAT_MS;
  const first = job.state === 'queued' || job.engineJobId !== report.engineJobId;
  if (!step && !first && !again && !rested) return { none: moved ? 'too soon' : 'nothing new' };
  const set: Partial<JobRow> = {
    state: 'running',
    engineJobId: report.engineJobId,
    attempt: report.attempt,
    progress: again ? report.percent : Math.max(job.progress, report.percent),
    heartbeatAt: later(job.heartbeatAt, report.at),
    ...(report.speed !== undefined && { speed: report.speed }),
    ...(job.startedAt === undefined && { startedAt: report.at }),
    ...todoAfter(job, report.at),
    ...(step && { steps: [...job.steps, { name: step, at: report.at }] }),
  };
  // Two reports at once: the one that comes second looks again, so that no step is lost.
  const expect = { attempt: job.attempt, progress: job.progress, heartbeatAt: job.heartbeatAt };
  const running = job.state === 'queued' ? toTranscoding(job, media, report.at) : [];
  return { change: [changeJob(job, set, ['error'], expect), ...running] };
}

/**
 * The engine has the job still, or it waits for something else: sweep looks again at `todoAt`. An error says what it waits
 * for too long; the first sign of life takes it away.
 */
export function stillWaiting(
  job: JobRow,
  todoAt: string,
  learned: { engineJobId?: string; error?: JobRow['error'] } = {},
): Outcome {
  if (hasEnded(job)) return { none: `the job is ${job.state}` };
  return { change: [changeJob(job, { todoAt, ...learned })] };
}

function todoAfter(job: JobRow, at: string): Partial<JobRow> {
  const todoAt = after(at, STALE_AFTER_MS);
  const ahead = job.todoAt === undefined ? 0 : Date.parse(todoAt) - Date.parse(job.todoAt);
  return ahead >= TODO_STEP_MS ? { todoAt } : {};
}

function later(a: string, b: string): string {
  return Date.parse(a) > Date.parse(b) ? a : b;
}
