import { z } from 'zod';

/**
 * Every reason for which a job or a media can fail. Per code: when it fires, whether the cause is transient (worth the
 * same try again), and what the operator or uploader does about it. docs/runbook.md is checked against this list.
 */
export const ERRORS = {
  empty_file: { transient: false, when: 'The upload has 0 bytes.', action: 'Upload the file again.' },
  too_large: {
    transient: false,
    when: 'The upload is larger than the configured maximum.',
    action: 'Upload a smaller file, or raise maxUploadBytes in the configuration.',
  },
  bad_key: {
    transient: false,
    when: 'The object lies under drop/ but its key is not drop/{creatorId}/{collectionId}/{path}.',
    action: 'Upload it again under a key of that form.',
  },
  not_media: {
    transient: false,
    when: 'Neither the preflight nor ffprobe recognises the content as audio or video.',
    action: 'Check that the file plays on your machine; upload the original, not a renamed document.',
  },
  no_tracks: {
    transient: false,
    when: 'The file is a media container with no video or audio track (subtitles, data or a cover picture only).',
    action: 'Upload a file with video or sound.',
  },
  still_image: {
    transient: false,
    when: 'The file is a picture.',
    action: 'Upload a video or a sound file.',
  },
  playlist_refused: {
    transient: false,
    when: 'The upload is a playlist, manifest or script that names other files instead of holding media.',
    action: 'Upload the media itself.',
  },
  corrupt: {
    transient: false,
    when: 'The container is damaged so that no complete track can be read (for example an MP4 without its moov box).',
    action: 'Export or record the file again.',
  },
  truncated: {
    transient: false,
    when: 'The file announces more media than it holds.',
    action: 'Upload it again; the first transfer or the recording was cut off.',
  },
  limit_duration: { transient: false, when: 'The media is longer than the limit.', action: 'Split the file.' },
  limit_pixels: {
    transient: false,
    when: 'A frame has more pixels than the limit, or a side of more than 16384.',
    action: 'Export the video at 8K or less.',
  },
  limit_tracks: { transient: false, when: 'The file has more tracks than the limit.', action: 'Export fewer tracks.' },
  unsupported_codec: {
    transient: false,
    when: 'ffmpeg has no decoder for the only video or audio track.',
    action: 'Export the file with a common codec.',
  },
  encode_failed: {
    transient: false,
    when: 'ffmpeg ended with an error while it read or encoded this file.',
    action: 'Read the message; if it names no fault of the file, report it with the job id.',
  },
  verify_failed: {
    transient: false,
    when: 'What was encoded does not decode, or its duration, frames or segments do not match the source.',
    action: 'Look at the job log; nothing was published. Retry once, then report it with the job id.',
  },
  source_missing: {
    transient: false,
    when: 'The uploaded object, or this version of it, no longer exists.',
    action: 'Upload the file again.',
  },
  source_changed: {
    transient: false,
    when: 'The object was replaced while it was read; the newer version has a job of its own.',
    action: 'Nothing.',
  },
  original_gone: {
    transient: false,
    when: 'A re-transcode was asked for, but the original was deleted after it became ready (deleteOriginal).',
    action: 'Upload the file again, or allow retranscodeFromOutput on the collection.',
  },
  job_timeout: {
    transient: false,
    when: 'The encode took longer than the job definition allows.',
    action: 'Raise jobTimeoutHours, or split the file.',
  },
  out_of_memory: {
    transient: true,
    when: 'The worker was killed for its memory on every attempt.',
    action: 'Raise workerMemoryMiB, then retry.',
  },
  disk_full: {
    transient: true,
    when: 'The worker has less scratch space than the source and its outputs need.',
    action: 'Raise scratchGiB, then retry.',
  },
  worker_lost: {
    transient: true,
    when: 'Every attempt ended without a result: hosts lost, Spot reclaims, or a crash of the worker.',
    action: 'Retry; if it repeats, read the log stream of the job.',
  },
  worker_bug: {
    transient: true,
    when: 'The worker met an error that it has no name for.',
    action: 'Retry; report the message with the job id.',
  },
  storage_failed: {
    transient: true,
    when: 'S3 refused or broke off a read or write on every attempt.',
    action: 'Check the permissions and the status of S3 in the region, then retry.',
  },
  engine_refused: {
    transient: true,
    when: 'AWS Batch did not accept the job.',
    action: 'Check the job queue and the job definition, then retry.',
  },
  engine_lost: {
    transient: true,
    when: 'AWS Batch no longer knows a job that the table holds as unfinished.',
    action: 'Retry.',
  },
  engine_stuck: {
    transient: true,
    when: 'The job has waited in the engine for longer than the alarm time.',
    action: 'Check the compute environments: quota, subnets, Spot capacity.',
  },
  publish_failed: {
    transient: true,
    when: 'The output could not be published: an object is missing or differs from what the worker announced.',
    action: 'Look at the publish log; viewers still have the previous version. Retry.',
  },
  cancelled: { transient: false, when: 'Somebody cancelled the job.', action: 'Nothing.' },
  upload_expired: {
    transient: false,
    when: 'An announced upload was not finished in time.',
    action: 'Upload the file again.',
  },
} as const satisfies Record<string, { transient: boolean; when: string; action: string }>;

export type ErrorCode = keyof typeof ERRORS;
export const ErrorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);

/** An expected failure: a code of the list and a sentence that a person can act on. `detail` is for the log only. */
export class DropreelError extends Error {
  override readonly name = 'DropreelError';
  readonly code: ErrorCode;
  readonly detail: string | undefined;

  constructor(code: ErrorCode, message: string, options: { detail?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.detail = options.detail;
  }
}

/** What to do after failed attempt `attempt` (from 1) of at most `maxAttempts`. */
export type Decision = 'retry' | 'fail' | 'escalate';

/** The one place that decides. Escalate means: fail, and raise the alarm, for no user can mend it. */
export function decide(code: ErrorCode, attempt: number, maxAttempts: number): Decision {
  if (!ERRORS[code].transient) return 'fail';
  return attempt < maxAttempts ? 'retry' : 'escalate';
}
