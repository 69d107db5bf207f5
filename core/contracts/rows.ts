import { z } from 'zod';
import { ErrorCode } from '../jobs/errors.ts';
import { CollectionId, CreatorId, JobId, MediaId } from './ids.ts';
import { ACCESS } from './keys.ts';

/** The table's rows. One table; `pk` and `sk` come from rowKeys; times are ISO 8601 in UTC; sizes are bytes. */

const Time = z.iso.datetime();
const Access = z.enum(ACCESS);

export const MediaState = z.enum([
  'uploading',
  'uploaded',
  'transcoding',
  'ready',
  'failed',
  'retranscoding',
  'deleting',
]);
export type MediaState = z.infer<typeof MediaState>;
export const PLAYABLE_STATES: readonly MediaState[] = ['ready', 'retranscoding'];

export const JobState = z.enum(['queued', 'running', 'succeeded', 'published', 'failed', 'cancelled']);
export type JobState = z.infer<typeof JobState>;

export const Failure = z.object({ code: ErrorCode, message: z.string(), at: Time });
export type Failure = z.infer<typeof Failure>;

/** One version of an uploaded object: what a transcode reads. */
export const Source = z.object({
  bucket: z.string(),
  key: z.string(),
  versionId: z.string().optional(),
  /** S3's sequencer: orders events of one key, compared as hexadecimal after left-padding with zeros. */
  sequencer: z.string(),
  size: z.number().int().nonnegative(),
  etag: z.string(),
});
export type Source = z.infer<typeof Source>;

/** What the preflight or the worker's probe learned; absent fields were not known. */
export const SourceInfo = z.object({
  durationSeconds: z.number().optional(),
  /** As displayed: after rotation and sample aspect ratio. */
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  frameRate: z.number().optional(),
  videoCodec: z.string().optional(),
  audioCodec: z.string().optional(),
});
export type SourceInfo = z.infer<typeof SourceInfo>;

export const Outputs = z.object({
  master: z.string(),
  preview: z.string().optional(),
  mp4: z.string().optional(),
  thumbnail: z.string().optional(),
  poster: z.string().optional(),
  waveform: z.string().optional(),
});
export type Outputs = z.infer<typeof Outputs>;

/** One line of the master playlist, for people and programs that list what there is. */
export const RenditionSummary = z.object({
  name: z.string(),
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  frameRate: z.number().optional(),
  codecs: z.string(),
  /** Bits per second, as in the master playlist. */
  bandwidth: z.number().int(),
  averageBandwidth: z.number().int(),
  durationSeconds: z.number(),
  bytes: z.number().int(),
});
export type RenditionSummary = z.infer<typeof RenditionSummary>;

/** A published version: the job's number, the keys of its outputs and what they hold. */
export const PublishedVersion = z.object({
  version: z.number().int().positive(),
  jobId: JobId,
  publishedAt: Time,
  outputs: Outputs,
  renditions: z.array(RenditionSummary),
  preset: z.object({ name: z.string(), version: z.number().int() }),
  bytes: z.number().int(),
  /** The place of its objects; absent means public. */
  access: Access.optional(),
  /** What it was made from: a later upload that failed leaves this one to encode again. */
  source: Source.optional(),
});
export type PublishedVersion = z.infer<typeof PublishedVersion>;

export const MediaRow = z.object({
  type: z.literal('media'),
  mediaId: MediaId,
  creatorId: CreatorId,
  collectionId: CollectionId,
  /** The creator's id again: key of the index byCreator, which other rows with a creator stay out of. */
  owner: CreatorId,
  /** `{creatorId}#{collectionId}`: key of the index byCollection. */
  collection: z.string(),
  title: z.string(),
  kind: z.enum(['video', 'audio']).optional(),
  state: MediaState,
  /** Counts the changes of state: orders announcements and webhooks. */
  seq: z.number().int().nonnegative(),
  source: Source,
  /** When the last upload that is known was taken in, or refused: what is put under its key after that is news. */
  sourceSeenAt: Time.optional(),
  sourceInfo: SourceInfo.optional(),
  /** The job that decides; a late event of another job changes that job only. */
  jobId: JobId.optional(),
  /** How many jobs this media has had: the next one is jobCount + 1. */
  jobCount: z.number().int().nonnegative(),
  /** How many of them were for the present source version and not yet ready. */
  attempts: z.number().int().nonnegative(),
  current: PublishedVersion.optional(),
  /** Kept until `expiresAt`, for players that still read it and for a rollback. */
  previous: PublishedVersion.extend({ expiresAt: Time }).optional(),
  /** When the two last changed places. */
  rolledBackAt: Time.optional(),
  error: Failure.optional(),
  scheduleRetranscode: z.boolean().default(false),
  /** `todoAt` of the collection's flag that has flagged this media: the same flag does it once, however often it is expanded. */
  flaggedFor: z.string().optional(),
  originalDeletedAt: Time.optional(),
  createdAt: Time,
  updatedAt: Time,
  /** Present while sweep has work with this row: CHORE.retranscode, CHORE.delete or CHORE.upload. */
  todo: z.string().optional(),
  todoAt: z.string().optional(),
});
export type MediaRow = z.infer<typeof MediaRow>;

export const JobStep = z.object({ name: z.enum(['pulled', 'transcoded', 'pushed']), at: Time });
export type JobStep = z.infer<typeof JobStep>;

export const JobRow = z.object({
  type: z.literal('job'),
  jobId: JobId,
  mediaId: MediaId,
  creatorId: CreatorId,
  collectionId: CollectionId,
  n: z.number().int().positive(),
  purpose: z.enum(['ingest', 'retranscode']),
  engine: z.enum(['batch-cpu']),
  /** Absent until the engine took the job. */
  engineJobId: z.string().optional(),
  state: JobState,
  source: Source,
  preset: z.object({ name: z.string(), version: z.number().int() }),
  steps: z.array(JobStep),
  /** Percent, 0 to 100. */
  progress: z.number().min(0).max(100),
  /** Times real time, of the encoder. */
  speed: z.number().optional(),
  /** The engine's own attempt, from 1. */
  attempt: z.number().int().nonnegative(),
  /** Where its version goes: set once, before the first copy. Absent: nothing is published of it yet. */
  access: Access.optional(),
  error: Failure.optional(),
  cost: z.object({ usd: z.number(), vcpuSeconds: z.number() }).optional(),
  heartbeatAt: Time,
  createdAt: Time,
  startedAt: Time.optional(),
  finishedAt: Time.optional(),
  /** Seconds since the epoch: DynamoDB's TTL removes the row of a finished job. */
  expiresAt: z.number().int().optional(),
  todo: z.string().optional(),
  todoAt: z.string().optional(),
});
export type JobRow = z.infer<typeof JobRow>;

export const CollectionRow = z.object({
  type: z.literal('collection'),
  creatorId: CreatorId,
  collectionId: CollectionId,
  title: z.string(),
  /** The name of a preset in core/media/presets.ts. */
  preset: z.string(),
  /** Absent means the default, `batch-cpu`. */
  engine: z.enum(['batch-cpu']).optional(),
  deleteOriginal: z.boolean().default(false),
  /** Whether a media whose original is gone may be encoded again from an output: its MP4 or, of sound, its best rendition. */
  retranscodeFromOutput: z.boolean().default(false),
  /** Holds for what is published from now on. */
  playback: Access.default('public'),
  scheduleRetranscode: z.boolean().default(false),
  /** How far the flag of that `todoAt` is expanded: the last media's keys in byCollection, as JSON. */
  flagCursor: z.object({ flag: z.string(), after: z.string() }).optional(),
  createdAt: Time,
  updatedAt: Time,
  todo: z.string().optional(),
  todoAt: z.string().optional(),
});
export type CollectionRow = z.infer<typeof CollectionRow>;

/** A superseded version, to be removed by sweep at `todoAt`. One row each, so that two quick re-transcodes forget none. */
export const OldVersionRow = z.object({
  type: z.literal('old-version'),
  mediaId: MediaId,
  creatorId: CreatorId,
  version: z.number().int().positive(),
  /** The place of its objects; absent means public. */
  access: Access.optional(),
  todo: z.literal('expire'),
  todoAt: Time,
});
export type OldVersionRow = z.infer<typeof OldVersionRow>;

/** What stays of a deleted media: one that is dropped under its key later goes on counting from there. */
export const TombstoneRow = z.object({
  type: z.literal('tombstone'),
  jobCount: z.number().int().nonnegative(),
  seq: z.number().int().nonnegative(),
  /** Seconds since the epoch, for DynamoDB's TTL. */
  expiresAt: z.number().int(),
});
export type TombstoneRow = z.infer<typeof TombstoneRow>;

/** The one row of sweep: when it ran and what it did last, and how far it has compared the drops with the table. */
export const SweepRow = z.object({
  type: z.literal('sweep'),
  lastRunAt: Time,
  /** Milliseconds. */
  tookMs: z.number().int(),
  /** Counts by name: see SweepReport of functions/sweep. */
  report: z.record(z.string(), z.number()),
  /** The last upload key compared; absent at the start of a pass. */
  dropAfter: z.string().optional(),
});
export type SweepRow = z.infer<typeof SweepRow>;

/** There while a run of sweep starts re-transcodes: until then, no other run does. */
export const TurnRow = z.object({ type: z.literal('turn'), until: Time });
export type TurnRow = z.infer<typeof TurnRow>;

export const rowKeys = {
  media: (mediaId: string) => ({ pk: `MEDIA#${mediaId}`, sk: 'MEDIA' }),
  tombstone: (mediaId: string) => ({ pk: `MEDIA#${mediaId}`, sk: 'TOMBSTONE' }),
  oldVersion: (mediaId: string, n: number) => ({ pk: `MEDIA#${mediaId}`, sk: `OLD#${String(n).padStart(6, '0')}` }),
  job: (mediaId: string, n: number) => ({ pk: `MEDIA#${mediaId}`, sk: `JOB#${String(n).padStart(6, '0')}` }),
  collection: (creatorId: string, collectionId: string) => ({
    pk: `CREATOR#${creatorId}`,
    sk: `COLLECTION#${collectionId}`,
  }),
  sweep: () => ({ pk: 'SWEEP#', sk: 'SWEEP' }),
  turn: () => ({ pk: 'SWEEP#', sk: 'TURN' }),
};
export type RowKey = { pk: string; sk: string };

/** Secondary indexes. byCreator and byCollection hold media rows; todo is sparse and keys-only. */
export const INDEXES = {
  byCreator: { name: 'byCreator', pk: 'owner', sk: 'createdAt' },
  byCollection: { name: 'byCollection', pk: 'collection', sk: 'createdAt' },
  todo: { name: 'todo', pk: 'todo', sk: 'todoAt' },
} as const;

/** Values of `todo`: what sweep looks for. `todoAt` is the time from which it is due. */
export const CHORE = {
  /** A job of a new upload that has not ended, published jobs being ended ones. */
  job: 'job',
  /** The same of a re-transcode: apart, so that those unfinished can be counted. */
  retranscodeJob: 'retranscode-job',
  /** A media flagged for re-transcoding. */
  retranscode: 'retranscode',
  /** A collection flagged for re-transcoding. */
  collection: 'collection',
  /** An OldVersionRow, whose grace period ends at todoAt. */
  expire: 'expire',
  /** A media marked for deletion. */
  delete: 'delete',
  /** An announced upload that nobody finished by todoAt. */
  upload: 'upload',
} as const;
