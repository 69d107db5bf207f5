import { z } from 'zod';

/**
 * Every reason for which a job or a media item can fail. Per code: when it occurs, whether the cause is transient (worth the
 * same attempt again), and what the operator or uploader does about it. docs/runbook.md is checked against this list.
 */
export const ERRORS = {
  empty_file: { transient: false, when: 'The upload has 0 bytes.', action: 'Upload the file again.' },
  too_large: {
    transient: false,
    when: 'The upload is larger than the configured maximum.',
    action: 'Upload a smaller file, or raise maxUploadBytes in the configuration.',
  },
  quota_uploads: {
    transient: false,
    when: "The creator's uploads of the day (UTC) are used up.",
    action: 'Retry it the next day (`dropreel retry ID`): the upload is kept. Or raise maxUploadsPerDay.',
  },
  quota_minutes: {
    transient: false,
    when: "The creator's minutes of media to encode in a day (UTC) do not hold this one.",
    action: 'Retry it the next day (`dropreel retry ID`): the upload is kept. Or raise maxMinutesPerDay.',
  },
  cap_reached: {
    transient: false,
    when: 'The USD that encodes of the creator, or of the collection, may cost in a month (UTC) are used, or expected to be by those under way.',
    action:
      'Nothing: the upload is kept, and its encode starts in another month, or when the cap is raised: maxUsdPerMonth, or `dropreel collections edit ID --max-usd USD`.',
  },
  bad_key: {
    transient: false,
    when: 'The object is under drop/ but its key is not drop/{creatorId}/{collectionId}/{path}.',
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
    action: 'Upload a file with video or audio.',
  },
  still_image: {
    transient: false,
    when: 'The file is a picture.',
    action: 'Upload a video or an audio file.',
  },
  playlist_refused: {
    transient: false,
    when: 'The upload is a playlist, manifest or script that names other files instead of holding media.',
    action: 'Upload the media itself.',
  },
  corrupt: {
    transient: false,
    when: 'The file is damaged so that no complete track can be read (for example an MP4 without its moov box), or more than a tenth of a track is lost.',
    action: 'Export or record the file again.',
  },
  truncated: {
    transient: false,
    when: 'The file announces more media than it holds.',
    action: 'Upload it again; the first transfer or the recording was cut off.',
  },
  limit_duration: {
    transient: false,
    when: 'The media is longer than the limit: 24 hours, and less above 1440p60; or its picture begins more than 12 hours after its sound.',
    action: 'Split the file.',
  },
  limit_pixels: {
    transient: false,
    when: 'A frame, as coded or as shown, has more pixels than the limit, or a side of more than 16384.',
    action: 'Export the video at 8K or less.',
  },
  limit_tracks: {
    transient: false,
    when: 'The file has more tracks, or its audio more channels, than the limit.',
    action: 'Export fewer tracks, or a stereo mix.',
  },
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
  encrypted: {
    transient: false,
    when: 'The media is encrypted (DRM), and dropreel has no key.',
    action: 'Upload the file without its protection.',
  },
  source_unreadable: {
    transient: false,
    when: 'The bytes of the upload cannot be read from S3: it is in an archive (GLACIER, DEEP_ARCHIVE), or encrypted with a key (KMS, SSE-C) that dropreel may not use.',
    action: 'In an archive: retry, which restores it first. Encrypted: upload it without a key of its own.',
  },
  source_restoring: {
    transient: true,
    when: 'The upload lies in an archive (GLACIER, DEEP_ARCHIVE). A restore was asked for, and takes minutes to two days, by its class and tier.',
    action:
      'Nothing: the encode begins when S3 has restored it. `restoring` of the media item says since when and by which tier.',
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
    transient: false,
    when: 'The outputs, and the source where it is downloaded, may need more scratch space than a worker has. Another worker has the same.',
    action: 'Raise scratchGiB, then retry; or upload a shorter file.',
  },
  worker_lost: {
    transient: true,
    when: 'Every attempt ended without a result: hosts lost, Spot reclaims, or a crash of the worker.',
    action: 'Retry; if it repeats, read the log stream of the job.',
  },
  worker_bug: {
    transient: true,
    when: 'The worker failed with an error that has no code of its own.',
    action: 'Retry; report the message with the job id.',
  },
  storage_failed: {
    transient: true,
    when: 'S3 refused or broke off a read or write on every attempt.',
    action: 'Check the permissions and the status of S3 in the region, then retry.',
  },
  engine_refused: {
    transient: true,
    when: 'The engine did not accept the job, or the deployment does not have it.',
    action: 'Read the reason. Then retry, with another engine where this one refuses always.',
  },
  engine_down: {
    transient: true,
    when: 'The engine takes no jobs: it throttles, fails, is out of quota, or its queue, definition, address or key is gone. The job waits for it; if `auto` chose it, it moves on to another engine after half an hour.',
    action:
      'Read the reason: quotas, permissions, queue and job definition, key, the status of the service. Waiting jobs are submitted when it takes jobs again.',
  },
  engine_unfit: {
    transient: false,
    when: 'The engine that was named would make something else of this source than the worker does, or its workers have no disk that holds it.',
    action: 'Retry it with another engine, or with `auto`: `dropreel retry ID --engine batch-cpu`.',
  },
  engine_lost: {
    transient: true,
    when: 'The engine no longer has a job that is unfinished in the table.',
    action: 'Retry.',
  },
  engine_stuck: {
    transient: true,
    when: 'The engine reports that the job blocks its queue, or has started no job for 30 minutes although jobs wait.',
    action: 'Read the reason; of AWS Batch, check the compute environments: quota, subnets, Spot capacity.',
  },
  worker_stuck: {
    transient: true,
    when: 'The worker ran for an hour without a sign of life and was ended; the job was tried once more.',
    action: 'Retry; if it repeats, read the log stream of the job.',
  },
  publish_failed: {
    transient: true,
    when: 'The output could not be published: an object is missing or differs from what the worker announced.',
    action: 'Look at the publish log; viewers still have the previous version. Retry.',
  },
  cancelled: { transient: false, when: 'The job was cancelled.', action: 'Nothing.' },
  upload_expired: {
    transient: false,
    when: 'An announced upload was not finished in time.',
    action: 'Upload the file again.',
  },
} as const satisfies Record<string, { transient: boolean; when: string; action: string }>;

export type ErrorCode = keyof typeof ERRORS;
export const ErrorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]);

/** Of an encode that waits and goes on by itself: nothing has failed. */
export const HELD_BY: readonly ErrorCode[] = ['cap_reached', 'source_restoring'];

/** An upload is not what the pipeline takes, and says so: its uploader's concern, not that of who runs the pipeline. */
export const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'empty_file',
  'too_large',
  'quota_uploads',
  'quota_minutes',
  'not_media',
  'no_tracks',
  'still_image',
  'playlist_refused',
  'limit_duration',
  'limit_pixels',
  'limit_tracks',
  'unsupported_codec',
  'encrypted',
]);

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

/** The only place that decides. Escalate means: fail, and raise the alarm, because no user can correct the cause. */
export function decide(code: ErrorCode, attempt: number, maxAttempts: number): Decision {
  if (!ERRORS[code].transient) return 'fail';
  return attempt < maxAttempts ? 'retry' : 'escalate';
}
