import { z } from 'zod';
import { ErrorCode } from '../jobs/errors.ts';
import { DEFAULT_PRESET, PRESETS } from '../media/presets.ts';
import { CollectionId, CreatorId, JobId, MediaId } from './ids.ts';
import { DEFAULT_COLLECTION } from './keys.ts';
import { JobState, JobStep, MediaState, RenditionSummary, SourceInfo } from './rows.ts';

/** Bodies of the HTTP API. Names ending in `Request` are what clients send, the others what they get. Sizes are bytes. */

const Time = z.iso.datetime();
const Url = z.string();

export const SCOPES = { creator: 'dropreel/creator', operator: 'dropreel/operator' } as const;

/** Above this many bytes an upload is in parts. */
export const SINGLE_PUT_MAX = 64 * 1024 * 1024;
/** Part URLs given per answer: 100 of them are about 100 KB of JSON. */
export const MAX_PARTS_PER_REQUEST = 100;

const Title = z.string().trim().min(1).max(200);
const PresetName = z.enum(Object.keys(PRESETS) as [string, ...string[]]);
export const Engine = z.enum(['batch-cpu']);

export const UploadRequest = z
  .strictObject({
    /** Untrusted; only its last part and extension are kept, made safe for a key. */
    fileName: z.string().min(1).max(255),
    size: z.number().int().positive(),
    contentType: z.string().regex(/^[a-z]+\/[A-Za-z0-9.+-]{1,100}$/),
    collectionId: CollectionId.default(DEFAULT_COLLECTION),
    title: Title.optional(),
    /** For operators: on behalf of whom. */
    creatorId: CreatorId.optional(),
  })
  .meta({ id: 'UploadRequest' });
export type UploadRequest = z.infer<typeof UploadRequest>;

const PartNumber = z.number().int().min(1).max(10_000);

export const PartsRequest = z
  .strictObject({ partNumbers: z.array(PartNumber).min(1).max(MAX_PARTS_PER_REQUEST) })
  .meta({ id: 'PartsRequest' });

export const UploadPart = z
  .object({ partNumber: PartNumber, size: z.number().int(), url: Url })
  .meta({ id: 'UploadPart' });
export type UploadPart = z.infer<typeof UploadPart>;

export const UploadPartList = z
  .object({ parts: z.array(UploadPart), urlsExpireAt: Time })
  .meta({ id: 'UploadPartList' });
export type UploadPartList = z.infer<typeof UploadPartList>;

export const Upload = z
  .object({
    /** Also the id of the media that it becomes. */
    id: MediaId,
    creatorId: CreatorId,
    collectionId: CollectionId,
    fileName: z.string(),
    size: z.number().int(),
    contentType: z.string(),
    createdAt: Time,
    /** When an unfinished upload is given up. */
    expiresAt: Time,
    /** `open` until its bytes are complete. */
    status: z.enum(['open', 'complete']),
    /** One PUT of the whole file with exactly these headers; absent when the upload is in parts. */
    put: z.object({ url: Url, headers: z.record(z.string(), z.string()), urlExpiresAt: Time }).optional(),
    /** PUT each part to its URL; all but the last have `partSize` bytes. Absent for a single PUT. */
    multipart: z
      .object({
        partSize: z.number().int(),
        partCount: z.number().int(),
        /** The first 100 missing parts, ready to be sent; ask for more with POST /uploads/{id}/parts. */
        parts: z.array(UploadPart),
        urlsExpireAt: Time,
        /** Numbers of the parts that are there. */
        received: z.array(PartNumber),
      })
      .optional(),
  })
  .meta({ id: 'Upload' });
export type Upload = z.infer<typeof Upload>;

const Failure = z.object({ code: ErrorCode, message: z.string(), at: Time });

export const JobView = z
  .object({
    id: JobId,
    n: z.number().int(),
    purpose: z.string(),
    engine: z.string(),
    state: JobState,
    progress: z.number(),
    /** Times real time. */
    speed: z.number().optional(),
    attempt: z.number().int(),
    steps: z.array(JobStep),
    preset: z.object({ name: z.string(), version: z.number().int() }),
    error: Failure.optional(),
    cost: z.object({ usd: z.number(), vcpuSeconds: z.number() }).optional(),
    createdAt: Time,
    startedAt: Time.optional(),
    finishedAt: Time.optional(),
  })
  .meta({ id: 'Job' });
export type JobView = z.infer<typeof JobView>;

export const MediaView = z
  .object({
    id: MediaId,
    creatorId: CreatorId,
    collectionId: CollectionId,
    title: z.string(),
    kind: z.enum(['video', 'audio']).optional(),
    state: MediaState,
    /** Whether `playback` can be played now. */
    playable: z.boolean(),
    seq: z.number().int(),
    attempts: z.number().int(),
    maxAttempts: z.number().int(),
    error: Failure.optional(),
    source: SourceInfo.extend({ fileName: z.string(), size: z.number().int() }),
    originalDeletedAt: Time.optional(),
    scheduleRetranscode: z.boolean(),
    /** The version that viewers get. */
    version: z
      .object({
        n: z.number().int(),
        publishedAt: Time,
        bytes: z.number().int(),
        preset: z.object({ name: z.string(), version: z.number().int() }),
        renditions: z.array(RenditionSummary),
      })
      .optional(),
    /** The version that a rollback puts back. */
    previous: z.object({ n: z.number().int(), publishedAt: Time, expiresAt: Time }).optional(),
    /** `private`: needs the cookies of POST /media/{id}/playback-session, the preview, poster and thumbnail excepted. */
    access: z.enum(['public', 'private']).optional(),
    playback: z
      .object({
        hls: Url,
        preview: Url.optional(),
        mp4: Url.optional(),
        thumbnail: Url.optional(),
        poster: Url.optional(),
        waveform: Url.optional(),
      })
      .optional(),
    /** The current job; only with a single media. */
    job: JobView.optional(),
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'Media' });
export type MediaView = z.infer<typeof MediaView>;

export const MediaPage = z.object({ items: z.array(MediaView), next: z.string().nullable() }).meta({ id: 'MediaPage' });
export type MediaPage = z.infer<typeof MediaPage>;
export const JobList = z.object({ items: z.array(JobView) }).meta({ id: 'JobList' });

export const MediaPatchRequest = z
  .strictObject({ title: Title, collectionId: CollectionId, scheduleRetranscode: z.boolean() })
  .partial()
  .meta({ id: 'MediaPatchRequest', minProperties: 1 });
export type MediaPatchRequest = z.infer<typeof MediaPatchRequest>;

export const ListMediaQuery = z.object({
  collectionId: CollectionId.optional(),
  creatorId: CreatorId.optional(),
  state: MediaState.optional(),
  /** Created at or after. */
  from: Time.optional(),
  /** Created before. */
  to: Time.optional(),
  limit: z.coerce.number().int().min(1).max(100).default(50),
  cursor: z.string().max(1000).optional(),
});
export type ListMediaQuery = z.infer<typeof ListMediaQuery>;

const CollectionSettings = z.strictObject({
  title: Title,
  preset: PresetName,
  engine: Engine,
  /** Delete the upload once the media is ready. */
  deleteOriginal: z.boolean(),
  retranscodeFromOutput: z.boolean(),
  playback: z.enum(['public', 'private']),
});

export const CollectionRequest = CollectionSettings.partial()
  .extend({
    id: CollectionId,
    preset: PresetName.default(DEFAULT_PRESET),
    engine: Engine.default('batch-cpu'),
    creatorId: CreatorId.optional(),
  })
  .meta({ id: 'CollectionRequest' });
export type CollectionRequest = z.infer<typeof CollectionRequest>;

export const CollectionPatchRequest = CollectionSettings.partial().meta({
  id: 'CollectionPatchRequest',
  minProperties: 1,
});
export type CollectionPatchRequest = z.infer<typeof CollectionPatchRequest>;

export const CollectionView = z
  .object({
    id: CollectionId,
    creatorId: CreatorId,
    title: z.string(),
    preset: z.string(),
    engine: Engine,
    deleteOriginal: z.boolean(),
    retranscodeFromOutput: z.boolean(),
    playback: z.enum(['public', 'private']),
    scheduleRetranscode: z.boolean(),
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'Collection' });
export type CollectionView = z.infer<typeof CollectionView>;
export const CollectionPage = z
  .object({ items: z.array(CollectionView), next: z.string().nullable() })
  .meta({ id: 'CollectionPage' });

export const PlaybackSession = z
  .object({
    /** Origin and path prefix that the cookies open. */
    resource: z.string(),
    expiresAt: Time,
    /** CloudFront's three signed cookies; also sent as Set-Cookie. Empty for public media. */
    cookies: z.record(z.string(), z.string()),
  })
  .meta({ id: 'PlaybackSession' });

export const Stats = z
  .object({
    /** Absent when it is about all creators. */
    creatorId: CreatorId.optional(),
    media: z.record(z.string(), z.number().int()),
    minutesIn: z.number(),
    /** Of all renditions together. */
    minutesOut: z.number(),
    bytesIn: z.number(),
    bytesOut: z.number(),
    bytesSavedByArchive: z.number(),
    cost: z.array(z.object({ month: z.string(), engine: z.string(), usd: z.number(), vcpuSeconds: z.number() })),
  })
  .meta({ id: 'Stats' });
export type Stats = z.infer<typeof Stats>;

export const Health = z
  .object({
    status: z.enum(['ok', 'degraded', 'failing']),
    checkedAt: Time,
    /** What is wrong, in sentences; empty when `ok`. */
    problems: z.array(z.string()),
    queues: z.array(
      z.object({
        name: z.string(),
        waiting: z.number().int(),
        inFlight: z.number().int(),
        delayed: z.number().int(),
        deadLetters: z.number().int(),
      }),
    ),
    jobs: z.object({
      unfinished: z.number().int(),
      /** Since the last sign of life of the job that has been silent longest; null when there is none. */
      longestSilenceSeconds: z.number().nullable(),
      /** No sign of life for 15 minutes. */
      stuck: z.number().int(),
      stuckIds: z.array(JobId),
    }),
    last24Hours: z.object({
      ready: z.number().int(),
      failed: z.number().int(),
      latestFailure: z.object({ mediaId: MediaId, code: ErrorCode, message: z.string(), at: Time }).nullable(),
    }),
    lastSweep: z.object({ at: Time, ageSeconds: z.number() }).nullable(),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;

/** What an engine that calls back sends. Keys in `output` are for information: what counts is its result.json. */
export const EngineCallback = z
  .object({
    /** The engine's own id of the job. */
    jobId: z.string().min(1).max(255),
    status: z.enum(['completed', 'failed']),
    output: z.looseObject({ mediaId: MediaId, type: z.enum(['video', 'audio']) }).optional(),
    error: z.string().max(2000).optional(),
  })
  .meta({ id: 'EngineCallback' });
export type EngineCallback = z.infer<typeof EngineCallback>;

export const CallbackReceipt = z
  .object({ accepted: z.boolean(), reason: z.enum(['ok', 'duplicate', 'stale']) })
  .meta({ id: 'CallbackReceipt' });

/** Beside the media row of an announced upload. Rows and keys of the API's own are here, not in rows.ts. */
export const UploadRow = z.object({
  type: z.literal('upload'),
  mediaId: MediaId,
  key: z.string(),
  fileName: z.string(),
  size: z.number().int(),
  contentType: z.string(),
  multipart: z.object({ uploadId: z.string(), partSize: z.number().int(), partCount: z.number().int() }).optional(),
  announcedAt: Time,
  deadline: Time,
  /** Seconds since the epoch, for DynamoDB's TTL. */
  expiresAt: z.number().int(),
});
export type UploadRow = z.infer<typeof UploadRow>;

export const apiKeys = {
  upload: (mediaId: string) => ({ pk: `MEDIA#${mediaId}`, sk: 'UPLOAD' }),
  /** `key` is a hash of the client's key. */
  idempotency: (creatorId: string, key: string) => ({ pk: `IDEMPOTENCY#${creatorId}`, sk: key }),
  /** Counts of one creator. The partition is also the list of all creators that ever had a media. */
  counts: (creatorId: string) => ({ pk: 'COUNTS', sk: creatorId }),
  share: (mediaId: string) => ({ pk: `SHARE#${mediaId}`, sk: 'SHARE' }),
  /** That the cost of a job is counted. */
  countedCost: (jobId: string) => ({ pk: `SHARE#${jobId.slice(0, 26)}`, sk: `COST#${jobId}` }),
  /** `hour` as `2026-11-21T14`. */
  hour: (hour: string) => ({ pk: 'HEALTH', sk: `HOUR#${hour}` }),
  latestFailure: { pk: 'HEALTH', sk: 'LATEST-FAILURE' },
  /** The key from which the secrets of engine callbacks are derived. */
  engineKey: { pk: 'SECRET', sk: 'ENGINE-CALLBACKS' },
  callback: (jobId: string, messageId: string) => ({ pk: `CALLBACK#${jobId}`, sk: messageId }),
};
