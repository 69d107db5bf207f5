import { z } from 'zod';
import { ErrorCode } from '../jobs/errors.ts';
import { CollectionId, CreatorId, JobId, MediaId } from './ids.ts';
import { MediaState } from './rows.ts';

/** Events on the buses and bodies of the queues' messages. Unknown fields are ignored: AWS adds some over time. */

const Envelope = z.object({ id: z.string(), time: z.iso.datetime() });

/** S3's event by way of EventBridge. Keys are as they are, not URL-encoded. https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
export const ObjectCreated = Envelope.extend({
  source: z.literal('aws.s3'),
  'detail-type': z.literal('Object Created'),
  detail: z.object({
    bucket: z.object({ name: z.string() }),
    object: z.object({
      key: z.string(),
      size: z.number().int().nonnegative(),
      etag: z.string(),
      'version-id': z.string().optional(),
      sequencer: z.string(),
    }),
  }),
});
export type ObjectCreated = z.infer<typeof ObjectCreated>;

export const BATCH_STATUSES = [
  'SUBMITTED',
  'PENDING',
  'RUNNABLE',
  'STARTING',
  'RUNNING',
  'SUCCEEDED',
  'FAILED',
] as const;

/** https://docs.aws.amazon.com/batch/latest/userguide/batch_job_events.html */
export const BatchJobStateChange = Envelope.extend({
  source: z.literal('aws.batch'),
  'detail-type': z.literal('Batch Job State Change'),
  detail: z.object({
    jobId: z.string(),
    jobName: z.string(),
    jobQueue: z.string(),
    status: z.enum(BATCH_STATUSES),
    statusReason: z.string().optional(),
    attempts: z.array(z.unknown()).default([]),
    container: z.object({ exitCode: z.number().int().optional(), reason: z.string().optional() }).optional(),
    startedAt: z.number().optional(),
    stoppedAt: z.number().optional(),
  }),
});
export type BatchJobStateChange = z.infer<typeof BatchJobStateChange>;

/** Sources and detail-types of our own events. */
export const SOURCE = { worker: 'dropreel.worker', pipeline: 'dropreel' } as const;
export const DETAIL = { progress: 'Job Progress', mediaChanged: 'Media State Changed' } as const;

/** From the worker, on our bus, at most one each 2 s and one for each finished step. It is the job's heartbeat too. */
export const JobProgress = Envelope.extend({
  source: z.literal(SOURCE.worker),
  'detail-type': z.literal(DETAIL.progress),
  detail: z.object({
    jobId: JobId,
    engineJobId: z.string(),
    attempt: z.number().int().positive(),
    at: z.iso.datetime(),
    /** What it is doing. */
    phase: z.enum(['pulling', 'probing', 'transcoding', 'verifying', 'pushing', 'done']),
    /** Of the whole job, 0 to 100; grows within an attempt. */
    percent: z.number().min(0).max(100),
    /** Times real time. */
    speed: z.number().optional(),
    /** The step that has just been finished. */
    step: z.enum(['pulled', 'transcoded', 'pushed']).optional(),
  }),
});
export type JobProgress = z.infer<typeof JobProgress>;

/** From announce-change, on our bus: one for each change of a media's state, none lost, maybe twice; `seq` orders them. */
export const MediaStateChanged = z.object({
  source: z.literal(SOURCE.pipeline),
  'detail-type': z.literal(DETAIL.mediaChanged),
  detail: z.object({
    mediaId: MediaId,
    creatorId: CreatorId,
    collectionId: CollectionId,
    title: z.string(),
    from: MediaState.nullable(),
    to: MediaState.nullable(),
    seq: z.number().int(),
    at: z.iso.datetime(),
    jobId: JobId.optional(),
    error: z.object({ code: ErrorCode, message: z.string() }).optional(),
  }),
});
export type MediaStateChanged = z.infer<typeof MediaStateChanged>;

/** What track-job reads from its queue. */
export const TrackMessage = z.union([BatchJobStateChange, JobProgress]);

/**
 * What publish-output reads from its queue. With `rollback`, jobId names the current version's job, and that version is
 * taken back in favour of the previous one, unless that was asked `at` a time before the last rollback. `copied` is how many
 * copies of its plan a cut-off publish has made and verified.
 */
export const PublishMessage = z.object({
  jobId: JobId,
  rollback: z.boolean().optional(),
  at: z.iso.datetime().optional(),
  copied: z.number().int().nonnegative().optional(),
});
export type PublishMessage = z.infer<typeof PublishMessage>;

/** What the schedule hands to sweep; `time` is the scheduled time (`<aws.scheduler.scheduled-time>`), else it takes the clock's. */
export const SweepInput = z.object({ time: z.iso.datetime().optional() });
