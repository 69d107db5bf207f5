import type { JobProgress } from '../contracts/events.ts';
import type { Refused } from '../contracts/refused.ts';
import type { JobRow } from '../contracts/table/jobs.ts';
import type { MediaRow } from '../contracts/table/media.ts';
import type { Outcome } from './change.ts';
import { hasEnded } from './children.ts';
import { changeJob, changeMedia } from './rows.ts';

/** What viewers get of the first version of a media item while its film is encoded. docs/decisions/0403-growing-versions.md */

/** A re-transcode never shows itself early, nor does an upload that replaces what plays. */
export function mayGrow(job: JobRow, media: MediaRow | null): 'allowed' | Refused {
  if (job.purpose !== 'ingest') return { refused: 'it is no first version' };
  if (job.state !== 'queued' && job.state !== 'running') return { refused: `the job is ${job.state}` };
  if (media?.state !== 'transcoding') return { refused: `the media item is ${media?.state ?? 'gone'}` };
  if (media.jobId !== job.jobId) return { refused: 'another job has replaced it' };
  return media.current ? { refused: 'it can be played' } : 'allowed';
}

/** The playlists are as after `step`, and can be played up to `seconds`; after the first one, the master playlist names them. */
export function grown(
  job: JobRow,
  media: MediaRow | null,
  { step, seconds, now }: { step: number; seconds: number; now: string },
): Outcome {
  const verdict = mayGrow(job, media);
  if (verdict !== 'allowed' || !media) return verdict === 'allowed' ? { refused: 'the media item is gone' } : verdict;
  if (job.growing && job.growing.step >= step) return { refused: 'recorded before' };
  const expect = { 'growing.step': job.growing?.step ?? null } as const;
  const change = [changeJob(job, { growing: { since: job.growing?.since ?? now, seconds, step } }, [], expect)];
  if (media.growing) return { change };
  const growing = { jobId: job.jobId, access: job.access ?? 'private' } as const;
  return { change: [...change, changeMedia(media, now, { playableAt: now, growing })] };
}

/**
 * Of a player that began at once, so long before its end what is shown grows by further chunks. All of them would be copied for nothing, because
 * the whole version follows soon.
 */
const AHEAD_SECONDS = 600;

/** Whether what is shown of a job is to grow by more than its first chunk. */
export function needsMore({ growing }: Pick<JobRow, 'growing'>, now: string, seconds = growing?.seconds ?? 0): boolean {
  if (!growing) return true;
  return seconds - (Date.parse(now) - Date.parse(growing.since)) / 1000 < AHEAD_SECONDS;
}

/** The whole version is about to replace what is shown of it. */
export function finishedGrowing(
  job: JobRow,
  { step, seconds, now }: { step: number; seconds: number; now: string },
): Outcome {
  if (job.state !== 'succeeded') return { refused: `the job is ${job.state}` };
  if (job.growing && job.growing.step >= step) return { refused: 'recorded before' };
  return { change: [changeJob(job, { growing: { since: job.growing?.since ?? now, seconds, step } })] };
}

/** Whether viewers must not reach what was shown of a job: it failed, or its media item has gone on without it. */
export function isTakenBack(job: JobRow | null, media: MediaRow | null): boolean {
  if (!job || job.state === 'failed' || job.state === 'cancelled') return true;
  return job.state !== 'published' && (!media || media.state === 'deleting' || media.jobId !== job.jobId);
}

/** Whether a report of one of a film's workers tells of something to be shown: a piece, or a whole part where more is needed. */
export function mayHaveGrown(job: JobRow, report: JobProgress['detail'], now: string): boolean {
  const { child, part } = report;
  if (!child || job.purpose !== 'ingest' || (job.state !== 'queued' && job.state !== 'running')) return false;
  if (job.part !== part) return false;
  // What is added of the pictures takes the sound with it, as far as that is.
  if (child.piece) return child.index === 0 || !job.growing;
  return hasEnded(report) && needsMore(job, now);
}
