import type { JobProgress } from '../contracts/events.ts';
import type { JobRow } from '../contracts/table/jobs.ts';

/** Several workers of one part of a job, by what each of them reports. */

type Report = JobProgress['detail'];
type Child = NonNullable<Report['child']>;

/** Of all workers so many have ended before one that has not may be slow. */
const ENDED_SHARE = 0.75;
/** It has run so many times as long as the slowest of those. */
const SLOW = 2;
/** What another one takes to start, in seconds: a guess, as in core/media/chunk-count.ts. */
const START_SECONDS = 40;

/** What a report of one of several workers changes in the row, and how far the job is: the mean of them all. */
export function childReported(job: JobRow, report: Report, child: Child): { percent: number; set: Partial<JobRow> } {
  const each = farEach(job, child.of);
  each[child.index] = Math.min(99, Math.floor(report.percent));
  const sum = each.reduce((total, far) => total + far, 0);
  const slowest = hasEnded(report) ? Math.max(job.slowestSeconds ?? 0, secondsOf(report, child)) : undefined;
  return {
    percent: Math.round((10 * sum) / child.of) / 10,
    set: {
      children: each.map((far) => String(far).padStart(2, '0')).join(''),
      ...(slowest !== undefined && { slowestSeconds: slowest }),
    },
  };
}

/** A worker that has ended is as far as all of them are to be before the next part. */
export function hasEnded({ phase }: Report): boolean {
  return phase === 'verifying';
}

/**
 * Whether a worker is so slow that another one, which begins now, is likely to end first: nearly all have ended, it takes twice as long as the
 * slowest of them, and at its pace more is before it than all of another one's work. It is started a second time once.
 */
export function isSlow(job: JobRow, report: Report, child: Child): boolean {
  const { slowestSeconds, twins = [] } = job;
  if (slowestSeconds === undefined || hasEnded(report) || child.twin || twins.includes(child.index)) return false;
  const end = Math.max(...farEach(job, child.of));
  const ended = farEach(job, child.of).filter((far) => far === end).length;
  const seconds = secondsOf(report, child);
  const far = report.percent / end;
  const left = far > 0 ? (seconds * (1 - far)) / far : Number.POSITIVE_INFINITY;
  return ended >= ENDED_SHARE * child.of && seconds > SLOW * slowestSeconds && left > slowestSeconds + START_SECONDS;
}

function farEach({ children }: Pick<JobRow, 'children'>, of: number): number[] {
  return Array.from({ length: of }, (_, i) => Number(children?.slice(2 * i, 2 * i + 2) ?? 0));
}

function secondsOf({ at }: Report, { startedAt }: Child): number {
  return Math.max(0, (Date.parse(at) - Date.parse(startedAt)) / 1000);
}
