import type { RestoreTier } from '../contracts/archive.ts';
import type { JobRow } from '../contracts/table/jobs.ts';
import { DUE_WORK } from '../contracts/table/keys.ts';
import type { Failure, MediaRow, Restoring } from '../contracts/table/media.ts';
import { plus } from '../time.ts';
import type { Outcome } from './change.ts';
import { changeJob, changeMedia } from './rows.ts';
import { whyNotToSubmit } from './start.ts';

/** Hours that AWS calls typical, the longest. https://docs.aws.amazon.com/AmazonS3/latest/userguide/restoring-objects-retrieval-options.html */
const TYPICAL_HOURS: Readonly<Record<'deep' | 'flexible', Record<RestoreTier, number>>> = {
  flexible: { Expedited: 5 / 60, Standard: 5, Bulk: 12 },
  deep: { Expedited: 12, Standard: 12, Bulk: 48 },
};
/** How often it is looked at where S3's event is lost. */
export const POLL_MINUTES: Readonly<Record<RestoreTier, number>> = { Expedited: 10, Standard: 30, Bulk: 60 };

/** A copy that ends sooner may end before the job does: an encode may take most of a day. */
const LEAST_LEFT_MS = 24 * 3_600_000;

/**
 * What an archived object needs before a job may read it.
 * - `ask`: a restore.
 * - `wait`: one is under way.
 * - `more`: its restored copy can be read, and needs more days.
 * - `nothing`: its restored copy can be read for long enough.
 */
export function needOf(
  archive: { isRestoring: boolean; readableUntil?: Date | undefined },
  now: Date,
): 'ask' | 'wait' | 'more' | 'nothing' {
  if (archive.isRestoring) return 'wait';
  const left = (archive.readableUntil?.getTime() ?? 0) - now.getTime();
  if (left <= 0) return 'ask';
  return left < LEAST_LEFT_MS ? 'more' : 'nothing';
}

/** @param from S3's name of the class, or of the archive tier of INTELLIGENT_TIERING */
export function restoringFrom(from: string, tier: RestoreTier, now: string): Restoring {
  const hours = TYPICAL_HOURS[from.startsWith('DEEP_ARCHIVE') ? 'deep' : 'flexible'][tier];
  return { requestedAt: now, tier, from, expectedAt: plus(now, { minutes: Math.round(60 * hours) }) };
}

/**
 * Its source is being restored: the job stays queued, and its media item shows since when.
 * @param isAsked false: sweep asks for the restore, with its next run
 */
export function waitForSource(
  job: JobRow,
  media: MediaRow | null,
  restoring: Restoring,
  { now, isAsked }: { now: string; isAsked: boolean },
): Outcome {
  const refused = whyNotToSubmit(job, now);
  if (refused) return refused;
  // An earlier call began to submit it: its engine may have it.
  if (job.submittingUntil !== undefined) return { refused: 'it was submitted' };
  const { tier, from, requestedAt, expectedAt } = restoring;
  const message = `The upload is in ${from}, and is restored first (${tier}): it should be there by ${expectedAt}.`;
  const error: Failure = { code: 'source_restoring', message, at: now };
  const set = { error, todo: DUE_WORK.restoringJob, todoAt: plus(now, { minutes: isAsked ? POLL_MINUTES[tier] : 0 }) };
  const expect = { submittingUntil: null };
  const isNew =
    media?.jobId === job.jobId &&
    (media.error?.code !== error.code || media.restoring?.requestedAt !== requestedAt || media.restoring.tier !== tier);
  const shows = isNew ? [changeMedia(media, now, { error, restoring })] : [];
  return { change: [changeJob(job, set, [], expect), ...shows] };
}

/** S3 says that a restore is complete: sweep looks at the job with its next run. */
export function sourceRestored(job: JobRow, now: string): Outcome {
  if (job.state !== 'queued' || job.todo !== DUE_WORK.restoringJob) return { refused: 'it waits for no restore' };
  if ((job.todoAt ?? '') <= now) return { refused: 'it is due' };
  return { change: [changeJob(job, { todoAt: now }, [], { todo: DUE_WORK.restoringJob })] };
}
