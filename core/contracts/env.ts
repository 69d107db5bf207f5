import { z } from 'zod';

/**
 * The environment of each function and of the worker. The stacks set exactly these names, and for ingest-upload, track-job, sweep and
 * api those of the engines (`engines/NAME/names.ts`) too; a missing one is an error at start.
 */

const Name = z.string().min(1);
const Count = z.coerce.number().int().nonnegative();

/** Separated by spaces. */
const Names = Name.transform((text) => text.split(' '));

/** Limits of one creator in a day. */
const Quotas = { MAX_UPLOADS_PER_DAY: Count, MAX_MINUTES_PER_DAY: Count };

/** USD that encodes of one creator may cost in a month; absent: any. For the functions that submit jobs. */
const Cap = { MAX_USD_PER_MONTH: z.coerce.number().nonnegative().optional() };

export const IngestUploadEnv = z.object({
  ...Quotas,
  ...Cap,
  TABLE_NAME: Name,
  /** Bucket in which the jobs that it starts write, under tmp/. */
  MEDIA_BUCKET: Name,
  /** Bytes. A larger upload is refused with `too_large`. */
  MAX_UPLOAD_BYTES: Count,
  /** Bytes of a worker's disk that a job may fill. An upload that certainly needs more is refused with `disk_full`. */
  SCRATCH_BYTES: Count,
});

export const TrackJobEnv = z.object({
  TABLE_NAME: Name,
  MEDIA_BUCKET: Name,
  PUBLISH_QUEUE_URL: Name,
  /** Queue of requests for the next job of a media item. */
  INGEST_QUEUE_URL: Name,
});

export const PublishOutputEnv = z.object({
  TABLE_NAME: Name,
  UPLOADS_BUCKET: Name,
  MEDIA_BUCKET: Name,
  PUBLISH_QUEUE_URL: Name,
  /** Queue of requests for the next job of a media item. */
  INGEST_QUEUE_URL: Name,
  /** Hours for which the previous version is kept after a new one is published. */
  GRACE_HOURS: z.coerce.number().nonnegative(),
});

export const AnnounceChangeEnv = z.object({ BUS_NAME: Name });

export const SweepEnv = z.object({
  ...Cap,
  TABLE_NAME: Name,
  UPLOADS_BUCKET: Name,
  MEDIA_BUCKET: Name,
  INGEST_QUEUE_URL: Name,
  PUBLISH_QUEUE_URL: Name,
  WEBHOOK_QUEUE_URL: Name,
  /** How many re-transcodes may be unfinished at once. */
  MAX_RETRANSCODES: Count,
});

/** Webhooks to plain http on this machine: `npm run dev` and tests set it, no stack does. */
const AllowLoopback = z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(false);

export const ApiEnv = z.object({
  ...Quotas,
  ...Cap,
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
  /** How often a failed media item may be attempted in all. */
  MAX_ATTEMPTS: Count,
  /** `https://…` origin that serves the media bucket. */
  DELIVERY_URL: Name,
  /** The log group of workers. */
  WORKER_LOG_GROUP: Name,
  /** See ClaimSettings of core/api/caller.ts. */
  JWT_SCOPE_CLAIMS: Names,
  JWT_CREATOR_CLAIMS: Names,
  JWT_CREATOR_SCOPES: Names,
  JWT_OPERATOR_SCOPES: Names,
  INGEST_QUEUE_URL: Name,
  TRACK_QUEUE_URL: Name,
  CHANGE_QUEUE_URL: Name,
  WEBHOOK_QUEUE_URL: Name,
  WEBHOOK_ALLOW_LOOPBACK: AllowLoopback,
  /** Both or none: without them no private media is signed. See aws/playback-key.ts; the secret's text is the private key as PEM. */
  PLAYBACK_KEYS: Name.optional(),
  PLAYBACK_SECRET: Name.optional(),
  /** The role whose sessions sign the requests of workers outside of AWS; absent without such an engine. */
  HTTP_ENGINE_ROLE_ARN: Name.optional(),
  /** The domain that pages and delivery have in common; without it a browser would not send our cookies to CloudFront. */
  COOKIE_DOMAIN: Name.optional(),
});

/** How a person signs in to the console: an OpenID Connect client, without a secret. */
const SignIn = z.object({
  authority: z.url(),
  clientId: Name,
  scope: Name,
  /** Where the issuer does not tell them, or pages may not read what it tells. */
  authorizeUrl: z.url().optional(),
  tokenUrl: z.url().optional(),
  /** Takes `client_id` and `logout_uri`, as Cognito's does. */
  logoutUrl: z.url().optional(),
});
export type SignIn = z.infer<typeof SignIn>;

export const ServePagesEnv = z.object({
  API_URL: z.url(),
  /** `https://…` origin at which CloudFront serves the pages, and the media. */
  DELIVERY_URL: Name,
  TABLE_NAME: Name,
  UPLOADS_BUCKET: Name,
  /** JSON. Absent where the configuration names an issuer, and no client for the console. */
  SIGN_IN: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(SignIn)
    .optional(),
});
export type ServePagesEnv = z.infer<typeof ServePagesEnv>;

export const FanOutChangeEnv = z.object({ TABLE_NAME: Name, WEBHOOK_QUEUE_URL: Name });

export const DeliverWebhookEnv = z.object({
  TABLE_NAME: Name,
  WEBHOOK_QUEUE_URL: Name,
  WEBHOOK_ALLOW_LOOPBACK: AllowLoopback,
  /** How many of one creator's deliveries may be attempted at once. */
  MAX_DELIVERIES_AT_ONCE: Count,
});

/** Set by the job definition; DROPREEL_JOB comes with each submit, AWS_BATCH_JOB_ID and AWS_BATCH_JOB_ATTEMPT from AWS Batch. */
export const WorkerEnv = z.object({
  BUS_NAME: Name,
  /** The role with the permissions of a job, which the container's own role may assume. */
  JOB_ROLE_ARN: Name,
  /** A Job (see job.ts) as JSON. */
  DROPREEL_JOB: Name,
  AWS_BATCH_JOB_ID: Name,
  /** Of a child of an array job. */
  AWS_BATCH_JOB_ARRAY_INDEX: Count.optional(),
  AWS_BATCH_JOB_ATTEMPT: z.coerce.number().int().positive(),
  /** A directory on the scratch disk; a job uses `{SCRATCH_DIR}/{jobId}`. */
  SCRATCH_DIR: Name,
  /** Cuts every film that can be cut into chunks of so many seconds, whatever they cost: tests set it, no stack does. */
  CHUNK_SECONDS: z.coerce.number().positive().optional(),
  /** Whether the pictures are to be encoded on a GPU, and in software where that fails. */
  USE_GPU: z.stringbool({ truthy: ['true'], falsy: ['false'] }).default(false),
  FFMPEG_PATH: Name.default('ffmpeg'),
  FFPROBE_PATH: Name.default('ffprobe'),
});
