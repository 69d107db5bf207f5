import type { JobProgress } from '../contracts/events.ts';
import type { JobRow } from '../contracts/table/jobs.ts';
import type { MediaRow } from '../contracts/table/media.ts';
import { STALE_AFTER_MS } from '../contracts/timing.ts';
import { plus } from '../time.ts';
import type { Outcome } from './change.ts';
import { childReported, hasEnded as hasChildEnded, isSlow } from './children.ts';
import { changeJob, hasEnded, withStep } from './rows.ts';
import { toTranscoding } from './start.ts';

/** Updates of a job's row while the engine has the job. Events may arrive twice, late and in any order. */

/** Least time between two writes of a heartbeat; a finished step is written at once. */
const HEARTBEAT_MS = 2_000;
/** `todoAt` is an index key, so it follows the heartbeat in steps of this length, and stays in the future. */
const TODO_STEP_MS = 5 * 60_000;

/** The engine reports that the job runs. A job that already runs or has ended is not changed. */
export function jobRunning(
  job: JobRow,
  media: MediaRow | null,
  seen: { engineJobId: string; part?: string | undefined; startedAt: string; now: string },
): Outcome {
  if (job.state !== 'queued') return { refused: `the job is ${job.state}` };
  if (job.engineJobId !== undefined && job.engineJobId !== seen.engineJobId)
    return { refused: 'of another engine job' };
  if (job.part !== seen.part) return { refused: 'of another part' };
  const { engineJobId, now } = seen;
  // A later part does not begin the job anew.
  const startedAt = (job.part !== undefined && job.startedAt) || seen.startedAt;
  const set: Partial<JobRow> = { state: 'running', engineJobId, startedAt, heartbeatAt: later(job.heartbeatAt, now) };
  return { change: [changeJob(job, set, ['error']), ...toTranscoding(job, media, now)] };
}

/**
 * The worker reports. It holds the claim, so the engine job that it names is the one that counts.
 * @returns `slow`: which of several workers is to be started a second time
 */
export function jobProgressed(
  job: JobRow,
  media: MediaRow | null,
  report: JobProgress['detail'],
): Outcome<{ slow?: { job: JobRow; index: number } }> {
  if (job.state !== 'queued' && job.state !== 'running') return { refused: `the job is ${job.state}` };
  if (report.part !== job.part) return { refused: 'of another part' };
  if (report.attempt < job.attempt) return { refused: 'of an earlier attempt' };
  // One of several workers has no claim: the engine job that the row names is theirs.
  if (report.child && job.engineJobId !== undefined && job.engineJobId !== report.engineJobId) {
    return { refused: 'of another engine job' };
  }
  const again = report.attempt > job.attempt;
  const { child } = report;
  const { percent, set: ofChildren } = child ? childReported(job, report, child) : { percent: report.percent, set: {} };
  const step =
    report.step !== undefined && !job.steps.some(({ name }) => name === report.step) ? report.step : undefined;
  const moved = again || percent > job.progress;
  const rested = Date.parse(report.at) - Date.parse(job.heartbeatAt) >= HEARTBEAT_MS;
  const first = job.state === 'queued' || job.engineJobId !== report.engineJobId;
  const ended = child !== undefined && hasChildEnded(report);
  if (!step && !first && !again && !rested && !ended) return { refused: moved ? 'too soon' : 'nothing new' };
  const slow = child !== undefined && isSlow(job, report, child);
  const set: Partial<JobRow> = {
    state: 'running',
    engineJobId: report.engineJobId,
    attempt: report.attempt,
    progress: again && !child ? percent : Math.max(job.progress, percent),
    ...ofChildren,
    ...(slow && { twins: [...(job.twins ?? []), child.index] }),
    heartbeatAt: later(job.heartbeatAt, report.at),
    ...(report.speed !== undefined && { speed: report.speed }),
    ...(job.startedAt === undefined && { startedAt: report.at }),
    ...todoAfter(job, report.at),
    ...(step && { steps: withStep(job.steps, { name: step, at: report.at }) }),
  };
  // Two reports at once: the second one reads the row again, so that no step is lost.
  const expect = {
    ...{ attempt: job.attempt, progress: job.progress, heartbeatAt: job.heartbeatAt },
    ...(child && { children: job.children ?? null }),
  };
  const running = job.state === 'queued' ? toTranscoding(job, media, report.at) : [];
  const change = [changeJob(job, set, ['error'], expect), ...running];
  return { change, ...(slow && { slow: { job, index: child.index } }) };
}

/**
 * The engine still has the job, or the job waits for something else: sweep checks again at `todoAt`. An error says what the job
 * has waited for too long; null and the next sign of life clear it.
 */
export function stillWaiting(
  job: JobRow,
  todoAt: string,
  learned: { engineJobId?: string; error?: JobRow['error'] | null } = {},
): Outcome {
  if (hasEnded(job)) return { refused: `the job is ${job.state}` };
  const { error, ...others } = learned;
  const set = { todoAt, ...others, ...(error && { error }) };
  return { change: [changeJob(job, set, error === null ? ['error'] : [])] };
}

function todoAfter(job: JobRow, at: string): Partial<JobRow> {
  const todoAt = plus(at, { ms: STALE_AFTER_MS });
  const ahead = job.todoAt === undefined ? 0 : Date.parse(todoAt) - Date.parse(job.todoAt);
  return ahead >= TODO_STEP_MS ? { todoAt } : {};
}

function later(a: string, b: string): string {
  return Date.parse(a) > Date.parse(b) ? a : b;
}
