import { type JobRow, type JobStep, STEPS } from '../contracts/table/jobs.ts';
import { DUE_WORK, type RowKey, rowKeys } from '../contracts/table/keys.ts';
import type { MediaRow } from '../contracts/table/media.ts';
import { epochSeconds } from '../time.ts';
import type { Expectation, Update, Write } from './change.ts';
import { settle } from './spending.ts';

/** How every transition writes a media row or a job row. */

/**
 * Lambda's longest run, and more than AWS Batch takes to end a worker: whatever worked on a job when it ended has certainly
 * stopped after this time.
 */
export const ENDING_MS = 16 * 60_000;
/** How long the row of a finished job is kept, with its step log and cost. */
const JOB_LOG_DAYS = 30;

export function jobKey(job: Pick<JobRow, 'mediaId' | 'n'>): RowKey {
  return rowKeys.job(job.mediaId, job.n);
}

/** `seq` alone would do, since every change of state and version increments it; state and job make the intent clear. */
function leavingMedia(media: MediaRow): Expectation<MediaRow> {
  return { state: media.state, seq: media.seq, jobId: media.jobId ?? null };
}

/** A change of the media's state, job or version. What was shown of a job before it was whole ends with its state, or another job. */
export function changeMedia(
  media: MediaRow,
  now: string,
  set: Readonly<Partial<MediaRow>>,
  remove: readonly (keyof MediaRow)[] = [],
): Update<MediaRow> {
  const ends = media.growing !== undefined && (set.state !== undefined || set.jobId !== undefined) && !set.growing;
  const gone = ends ? (['growing', ...(set.current || media.current ? [] : (['playableAt'] as const))] as const) : [];
  return {
    op: 'update',
    key: rowKeys.media(media.mediaId),
    expect: leavingMedia(media),
    set: { ...set, seq: media.seq + 1, updatedAt: now },
    remove: [...remove, ...gone],
  };
}

/**
 * One change of a job's row as it was read. Its state alone does not tell that: a job in parts is `queued` and `running` once for each, and a
 * late event of one part would put its engine's job on the next one's row.
 */
export function changeJob(
  job: JobRow,
  set: Readonly<Partial<JobRow>>,
  remove: readonly (keyof JobRow)[] = [],
  expect: Expectation<JobRow> = {},
): Update<JobRow> {
  const { state, part = null, engineJobId = null } = job;
  return { op: 'update', key: jobKey(job), expect: { state, part, engineJobId, ...expect }, set, remove };
}

/**
 * The last change of a job's row: sweep has no more work with it, and TTL removes it later. With it, its cost replaces what it counted for
 * under caps. One that is submitted, or charged, at the same moment is decided again.
 */
export function endJobRow(job: JobRow, now: string, set: Readonly<Partial<JobRow>>): Write[] {
  const expiresAt = epochSeconds(now, { days: JOB_LOG_DAYS });
  const { charged, adds = [] } = settle(job, set.cost) ?? {};
  const settled = charged && { charged };
  const expect = {
    submittingUntil: job.submittingUntil ?? null,
    'charged.usd': job.charged?.usd ?? null,
  };
  return [changeJob(job, { finishedAt: now, expiresAt, ...settled, ...set }, ['todo', 'todoAt'], expect), ...adds];
}

/** A job in one of these states does not change any more. */
export function hasEnded(job: JobRow): boolean {
  return job.state === 'published' || job.state === 'failed' || job.state === 'cancelled';
}

/** Whether the job encodes the media item's present upload, rather than an earlier one or an output. */
export function isUploadOf({ source }: Pick<JobRow, 'source'>, media: MediaRow): boolean {
  return source.bucket === media.source.bucket && source.versionId === media.source.versionId;
}

export function jobTodo(purpose: JobRow['purpose']): string {
  return purpose === 'retranscode' ? DUE_WORK.retranscodeJob : DUE_WORK.job;
}

/** The steps with one more, in the order in which a worker finishes them: the events that report them may arrive in any order. */
export function withStep(steps: readonly JobStep[], step: JobStep): JobStep[] {
  return [...steps, step].toSorted((a, b) => STEPS.indexOf(a.name) - STEPS.indexOf(b.name));
}
