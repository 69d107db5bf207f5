import { z } from 'zod';
import { ErrorCode } from './errors.ts';
import { CollectionId, CreatorId, DeliveryId, EndpointId, JobId, MediaId } from './ids.ts';
import { STEPS } from './table/jobs.ts';
import { MediaState, SourceReport } from './table/media.ts';
import { Warning } from './warnings.ts';

const Time = z.iso.datetime();

/** Events on the buses and bodies of the queues' messages. Unknown fields are ignored: AWS adds some over time. */

const Envelope = z.object({ id: z.string(), time: z.iso.datetime() });

/** S3's event through EventBridge. Keys are not URL-encoded. https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
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

/** A restored copy is there, or the version is in another class. On the same page; it shows no sequencer of the former. */
export const ObjectMoved = Envelope.extend({
  source: z.literal('aws.s3'),
  'detail-type': z.enum(['Object Restore Completed', 'Object Storage Class Changed']),
  detail: z.object({
    bucket: z.object({ name: z.string() }),
    object: z.object({ key: z.string(), 'version-id': z.string().optional() }),
  }),
});
export type ObjectMoved = z.infer<typeof ObjectMoved>;

/** Sources and detail-types of our own events. */
export const SOURCE = { worker: 'dropreel.worker', pipeline: 'dropreel' } as const;
export const DETAIL = {
  progress: 'Job Progress',
  mediaChanged: 'Media State Changed',
  countsChanged: 'Media Counts Changed',
  calledBack: 'Engine Called Back',
  hint: 'Engine Hint',
  deleted: 'Media Item Deleted',
  cancelled: 'Job Cancelled',
} as const;

/** From the worker, on our bus, at most one every 2 s and one for each finished step. It is the job's heartbeat too. */
export const JobProgress = Envelope.extend({
  source: z.literal(SOURCE.worker),
  'detail-type': z.literal(DETAIL.progress),
  detail: z.object({
    jobId: JobId,
    engineJobId: z.string(),
    attempt: z.number().int().positive(),
    /** Of the job's row, for an engine that runs a job in parts. */
    part: z.string().optional(),
    /** Of the workers of that part, where there are several: `percent` is what it would be if all were as far as this one. */
    child: z
      .object({
        index: z.number().int().nonnegative(),
        of: z.number().int().min(2).max(1001),
        /** By the clock that `at` is of. */
        startedAt: z.iso.datetime(),
        /** Whether it has just left a piece for a growing version. */
        piece: z.literal(true).optional(),
        /** The engine job of a worker that was started beside a slow one; absent for one of the array. */
        twin: z.string().optional(),
      })
      .refine(({ index, of }) => index < of)
      .optional(),
    at: z.iso.datetime(),
    /** The current step. */
    phase: z.enum(['pulling', 'probing', 'transcoding', 'verifying', 'pushing', 'done']),
    /** Of the whole job, 0 to 100; grows within an attempt. */
    percent: z.number().min(0).max(100),
    /** Times real time. */
    speed: z.number().optional(),
    /** The step that has just finished. */
    step: z.enum(STEPS).optional(),
  }),
});
export type JobProgress = z.infer<typeof JobProgress>;

/** From announce-change, on our bus: one for each change of a media's state, none lost, possibly duplicated; `seq` orders them. */
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
    /** The state is the same: a cap holds the encode back, as `error` says. */
    held: z.literal(true).optional(),
    /** The state is the same: its first minutes can be played, while the rest is encoded. */
    playable: z.literal(true).optional(),
    /** The state is the same: a copy has become the source, or the original is in a cheaper storage class, or it is the source again. */
    archive: z.enum(['archived', 'restored']).optional(),
    /** Of the version that this change published. */
    warnings: z.array(Warning).optional(),
    /** Of what that version was made, or of what has failed, where the worker has looked into it. */
    source: SourceReport.optional(),
  }),
});
export type MediaStateChanged = z.infer<typeof MediaStateChanged>;
export type StateChange = MediaStateChanged['detail'];

/**
 * From announce-change, on our bus: the stats of a media item must be recomputed though its state is the same. Another version is
 * the current one or, with a job, the cost of that job is known.
 */
export const MediaCountsChanged = z.object({
  source: z.literal(SOURCE.pipeline),
  'detail-type': z.literal(DETAIL.countsChanged),
  detail: z.object({ mediaId: MediaId, creatorId: CreatorId, jobId: JobId.optional() }),
});
export type MediaCountsChanged = z.infer<typeof MediaCountsChanged>;

/** What fan-out-change reads from its queue. */
export const ChangeMessage = z.discriminatedUnion('detail-type', [MediaStateChanged, MediaCountsChanged]);
export type ChangeMessage = z.infer<typeof ChangeMessage>;

/** From api, in the track queue alone: an engine has reported by POST /engine-callbacks that a job has ended. */
export const EngineCalledBack = z.object({
  source: z.literal(SOURCE.pipeline),
  'detail-type': z.literal(DETAIL.calledBack),
  detail: z.object({
    jobId: JobId,
    engineJobId: z.string(),
    status: z.enum(['completed', 'failed']),
    error: z.string().optional(),
  }),
});
export type EngineCalledBack = z.infer<typeof EngineCalledBack>;

/** From api, in the track queue alone: an endpoint that proves nothing has something to say of a job; its engine asks it. */
export const EngineHint = z.object({
  source: z.literal(SOURCE.pipeline),
  'detail-type': z.literal(DETAIL.hint),
  detail: z.object({ jobId: JobId, engineJobId: z.string(), engine: z.string() }),
});
export type EngineHint = z.infer<typeof EngineHint>;

/** From api, in the track queue alone: a media item has been marked for deletion while this job of it was under way. */
export const MediaDeleted = z.object({
  source: z.literal(SOURCE.pipeline),
  'detail-type': z.literal(DETAIL.deleted),
  detail: z.object({ jobId: JobId }),
});
export type MediaDeleted = z.infer<typeof MediaDeleted>;

/** From api, in the track queue alone: somebody ends this job. */
export const JobCancelled = z.object({
  source: z.literal(SOURCE.pipeline),
  'detail-type': z.literal(DETAIL.cancelled),
  detail: z.object({ jobId: JobId }),
});
export type JobCancelled = z.infer<typeof JobCancelled>;

/** An event in the format of an engine: `engines/` reads it. */
export const EngineMessage = z.object({ source: z.string(), 'detail-type': z.string(), detail: z.unknown() });
export type EngineMessage = z.infer<typeof EngineMessage>;

/** What track-job reads from its queue. */
export const TrackMessage = z.union([JobProgress, EngineMessage]);

/**
 * What publish-output reads from its queue. With `rollback`, jobId names the current version's job, and that version is
 * replaced by the previous one, unless the rollback was requested (`at`) before the last rollback. `copied` is how many
 * copies of its plan an interrupted publish has made and verified. With `grow`, what there is of a job that is under way is published.
 */
export const PublishMessage = z.object({
  jobId: JobId,
  rollback: z.boolean().optional(),
  at: z.iso.datetime().optional(),
  copied: z.number().int().nonnegative().optional(),
  grow: z.literal(true).optional(),
});
export type PublishMessage = z.infer<typeof PublishMessage>;

/**
 * The input of sweep: from its schedule `time`, the scheduled time (`<aws.scheduler.scheduled-time>`), else the clock's time is
 * used; from the end of a re-transcode, or of a job of the archive, `only`: the next may start.
 */
export const SweepInput = z.object({
  time: z.iso.datetime().optional(),
  only: z.enum(['retranscodes', 'archive']).optional(),
});
export type SweepInput = z.infer<typeof SweepInput>;

/** A message of the webhook queue: attempt this delivery, not before `dueAt`. */
export const DeliveryMessage = z.object({
  endpointId: EndpointId,
  creatorId: CreatorId,
  deliveryId: DeliveryId,
  dueAt: Time,
  /** How often it has waited for a place among the creator's deliveries. */
  turns: z.number().int().optional(),
});
export type DeliveryMessage = z.infer<typeof DeliveryMessage>;

/** A message of the webhook queue: ping this endpoint, not before `dueAt`. */
export const PingMessage = z.object({
  pingId: z.string(),
  endpointId: EndpointId,
  creatorId: CreatorId,
  dueAt: Time,
  /** Pings before this one. */
  tries: z.number().int(),
});
export type PingMessage = z.infer<typeof PingMessage>;
