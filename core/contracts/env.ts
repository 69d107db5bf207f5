import { z } from 'zod';

/** The environment of each function and of the worker. The stacks set exactly these names; a missing one fails at start. */

const Name = z.string().min(1);
const Count = z.coerce.number().int().nonnegative();

export const EngineEnv = z.object({ JOB_QUEUE: Name, RETRANSCODE_JOB_QUEUE: Name, JOB_DEFINITION: Name });

export const IngestUploadEnv = EngineEnv.extend({
  TABLE_NAME: Name,
  UPLOADS_BUCKET: Name,
  /** Where the jobs that it starts write, under tmp/. */
  MEDIA_BUCKET: Name,
  /** Bytes. A larger upload is refused with `too_large`. */
  MAX_UPLOAD_BYTES: Count,
});

export const TrackJobEnv = z.object({ TABLE_NAME: Name, MEDIA_BUCKET: Name, PUBLISH_QUEUE_URL: Name });

export const PublishOutputEnv = z.object({
  TABLE_NAME: Name,
  UPLOADS_BUCKET: Name,
  MEDIA_BUCKET: Name,
  PUBLISH_QUEUE_URL: Name,
  /** Hours that the previous version stays after a new one is published. */
  GRACE_HOURS: z.coerce.number().nonnegative(),
});

export const AnnounceChangeEnv = z.object({ BUS_NAME: Name });

export const SweepEnv = EngineEnv.extend({
  TABLE_NAME: Name,
  UPLOADS_BUCKET: Name,
  MEDIA_BUCKET: Name,
  INGEST_QUEUE_URL: Name,
  PUBLISH_QUEUE_URL: Name,
  MAX_UPLOAD_BYTES: Count,
  GRACE_HOURS: z.coerce.number().nonnegative(),
  /** How many re-transcodes may be unfinished at once. */
  MAX_RETRANSCODES: Count,
});

/** For tests and development: webhooks to plain http on this machine. No stack sets it. */
const AllowLoopback = z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(false);

export const ApiEnv = EngineEnv.extend({
  TABLE_NAME: Name,
  UPLOADS_BUCKET: Name,
  MEDIA_BUCKET: Name,
  PUBLISH_QUEUE_URL: Name,
  /** Bytes; the limit of the API's upload path. */
  MAX_API_UPLOAD_BYTES: Count,
  /** Bytes; the limit of all uploads. */
  MAX_UPLOAD_BYTES: Count,
  /** Comma-separated MIME types, `video/*` style wildcards allowed. */
  ALLOWED_CONTENT_TYPES: Name,
  /** How often a failed media may be tried in all. */
  MAX_ATTEMPTS: Count,
  /** `https://…` origin that serves the media bucket. */
  DELIVERY_URL: Name,
  INGEST_QUEUE_URL: Name,
  TRACK_QUEUE_URL: Name,
  WEBHOOK_QUEUE_URL: Name,
  WEBHOOK_ALLOW_LOOPBACK: AllowLoopback,
  /** Both or none: without them there are no sessions for private media. The key is PEM. */
  PLAYBACK_KEY_PAIR_ID: Name.optional(),
  PLAYBACK_PRIVATE_KEY: Name.optional(),
  GRACE_HOURS: z.coerce.number().nonnegative(),
});

export const DeliverWebhookEnv = z.object({
  TABLE_NAME: Name,
  WEBHOOK_QUEUE_URL: Name,
  WEBHOOK_ALLOW_LOOPBACK: AllowLoopback,
});

/** Set by the job definition; DROPREEL_JOB comes with each submit, AWS_BATCH_JOB_ID and AWS_BATCH_JOB_ATTEMPT from AWS Batch. */
export const WorkerEnv = z.object({
  BUS_NAME: Name,
  /** A Job (see job.ts) as JSON. */
  DROPREEL_JOB: Name,
  AWS_BATCH_JOB_ID: Name,
  AWS_BATCH_JOB_ATTEMPT: z.coerce.number().int().positive(),
  /** A directory on the scratch disk; a job uses `{SCRATCH_DIR}/{jobId}`. */
  SCRATCH_DIR: Name,
  FFMPEG_PATH: Name.default('ffmpeg'),
  FFPROBE_PATH: Name.default('ffprobe'),
});
