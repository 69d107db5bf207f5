import { CHORE, type JobRow, type MediaRow, type RowKey, rowKeys } from '../contracts/rows.ts';
import type { Expectation, Update } from './change.ts';

/** How every transition writes a media or a job. */

/** Without a sign of life for this long, sweep asks the engine. */
export const STALE_AFTER_MS = 15 * 60_000;
/** A finished job's row, its step log and cost stay for this long. */
const JOB_LOG_DAYS = 30;

export function after(iso: string, ms: number): string {
  return new Date(Date.parse(iso) + ms).toISOString();
}

export function jobKey(job: Pick<JobRow, 'mediaId' | 'n'>): RowKey {
  return rowKeys.job(job.mediaId, job.n);
}

/** `seq` alone would do, since every change of state and version counts it up; state and job say what is meant. */
export function leavingMedia(media: MediaRow): Expectation {
  return { state: media.state, seq: media.seq, jobId: media.jobId ?? null };
}

/** A change of the media's state, job or version. */
export function changeMedia(
  media: MediaRow,
  now: string,
  set: Readonly<Partial<MediaRow>>,
  remove: readonly (keyof MediaRow)[] = [],
): Update {
  return {
    op: 'update',
    key: rowKeys.media(media.mediaId),
    expect: leavingMedia(media),
    set: { ...set, seq: media.seq + 1, updatedAt: now },
    remove,
  };
}

export function changeJob(
  job: JobRow,
  set: Readonly<Partial<JobRow>>,
  remove: readonly (keyof JobRow)[] = [],
  expect: Expectation = {},
): Update {
  return { op: 'update', key: jobKey(job), expect: { state: job.state, ...expect }, set, remove };
}

/** The last change of a job's row: sweep has no more work with it, and TTL removes it one day. */
export function endJob(job: JobRow, now: string, set: Readonly<Partial<JobRow>>): Update {
  const expiresAt = Math.floor(Date.parse(now) / 1000) + JOB_LOG_DAYS * 86_400;
  return changeJob(job, { finishedAt: now, expiresAt, ...set }, ['todo', 'todoAt']);
}

/** Nothing happens to a job after one of these. */
export function hasEnded(job: JobRow): boolean {
  return job.state === 'published' || job.state === 'failed' || job.state === 'cancelled';
}

export function jobTodo(purpose: JobRow['purpose']): string {
  return purpose === 'retranscode' ? CHORE.retranscodeJob : CHORE.job;
}
