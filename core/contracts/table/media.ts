import { z } from 'zod';
import { ARCHIVE_CLASSES, RESTORE_TIERS } from '../archive.ts';
import { ErrorCode } from '../errors.ts';
import { CollectionId, CreatorId, JobId, MediaId } from '../ids.ts';
import { ACCESS } from '../keys.ts';
import { each, OPTIONAL_NAMES } from '../outputs.ts';
import { Warning } from '../warnings.ts';

/** Rows of a media item, its versions and its upload. Keys come from keys.ts; times are ISO 8601 in UTC; sizes are bytes. */

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

export const Failure = z.object({ code: ErrorCode, message: z.string(), at: Time });
export type Failure = z.infer<typeof Failure>;

/** One version of an uploaded object: what a transcode reads. */
export const Source = z.object({
  bucket: z.string(),
  key: z.string(),
  versionId: z.string().optional(),
  /** S3's sequencer: orders events of one key; see core/jobs/sources.ts. */
  sequencer: z.string(),
  size: z.number().int().nonnegative(),
  etag: z.string(),
  /** Of the dense copy that has replaced it in the archive: the upload itself, which may be deleted by now. */
  archivedFrom: z
    .object({ key: z.string(), versionId: z.string(), size: z.number().int().nonnegative(), etag: z.string() })
    .optional(),
});
export type Source = z.infer<typeof Source>;

/** A restore from a storage class that cannot be read. */
export const Restoring = z.object({
  /** When this was first seen to be under way, or was asked for. */
  requestedAt: Time,
  /** The tier that was asked for; of a restore that somebody else began, that of the policy. */
  tier: z.enum(RESTORE_TIERS),
  /** S3's name of the class, or of the archive tier of INTELLIGENT_TIERING. */
  from: z.string(),
  /** When it should be done, by what AWS calls typical. */
  expectedAt: Time,
});
export type Restoring = z.infer<typeof Restoring>;

/** Of an original in the archive: see ArchiveRow. */
export const ARCHIVE_STATES = [
  'due',
  'encoding',
  'replacing',
  'archived',
  'purging',
  'purged',
  'refused',
  'moving',
  'moved',
] as const;

/** A track of a source, as FFmpeg names and numbers it. */
export const SourceTrack = z.object({
  index: z.number().int(),
  /** `video`, `audio`, `subtitle`, `data`, `attachment` or `unknown`. */
  type: z.string(),
  codec: z.string().optional(),
  /** As coded. */
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  channels: z.number().int().optional(),
  /** Hz */
  sampleRate: z.number().int().optional(),
  /** BCP 47, such as `de`. */
  language: z.string().optional(),
  taken: z.boolean(),
  /** Why it was not taken. */
  why: z.string().optional(),
});
export type SourceTrack = z.infer<typeof SourceTrack>;

/** Results of the preflight or the worker's probe; absent fields were unknown. */
export const SourceInfo = z.object({
  durationSeconds: z.number().optional(),
  /** As displayed: after rotation and sample aspect ratio. */
  width: z.number().int().optional(),
  height: z.number().int().optional(),
  frameRate: z.number().optional(),
  videoCodec: z.string().optional(),
  audioCodec: z.string().optional(),
  /** FFmpeg's name of the format: `mov,mp4,m4a,3gp,3g2,mj2`. From the worker only, like the tracks. */
  container: z.string().optional(),
  tracks: z.array(SourceTrack).optional(),
  /** How many others the file has. */
  moreTracks: z.number().int().optional(),
});
export type SourceInfo = z.infer<typeof SourceInfo>;

/** What the worker found in a source. */
export const SourceReport = SourceInfo.pick({ container: true, durationSeconds: true, tracks: true, moreTracks: true });
export type SourceReport = z.infer<typeof SourceReport>;

/** Keys: pointers of streams, the version's own objects of files. */
export const Outputs = z.object({
  master: z.string(),
  /** Absent in versions of earlier releases. */
  dash: z.string().optional(),
  ...each(OPTIONAL_NAMES, () => z.string().optional()),
});
export type Outputs = z.infer<typeof Outputs>;

/** One line of the master playlist, for people and programs that list renditions. */
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
  /** Whether it was published with a redirect to its MP4; absent in versions of earlier releases. */
  redirects: z.literal(true).optional(),
  /** What it was made from: a later upload that failed leaves this one to encode again. */
  source: Source.optional(),
  /** Absent: there are none, or they were not recorded yet. */
  warnings: z.array(Warning).optional(),
  /** Of the largest rendition against the pictures that it was encoded of, where that was measured. */
  ssim: z.number().optional(),
});
export type PublishedVersion = z.infer<typeof PublishedVersion>;

export const MediaRow = z.object({
  type: z.literal('media'),
  mediaId: MediaId,
  creatorId: CreatorId,
  collectionId: CollectionId,
  /** The creator's id again: key of the index byCreator, which omits other rows with a creator. */
  owner: CreatorId,
  /** `{creatorId}#{collectionId}`: key of the index byCollection. */
  collection: z.string(),
  title: z.string(),
  /** Absent: none. */
  tags: z.array(z.string()).optional(),
  kind: z.enum(['video', 'audio']).optional(),
  state: MediaState,
  /** Counts the changes of state: orders announcements and webhooks. */
  seq: z.number().int().nonnegative(),
  source: Source,
  /** When the last known upload was accepted or refused: a later object under its key is a new upload. */
  sourceSeenAt: Time.optional(),
  /** The last upload that was refused while an earlier one plays: it counts as known. */
  refused: Source.pick({ versionId: true, etag: true }).optional(),
  sourceInfo: SourceInfo.optional(),
  /** The newest good upload, while it waits for the job under way to end: that end starts its job. */
  pending: z.object({ source: Source, info: SourceInfo, kind: z.enum(['video', 'audio']).optional() }).optional(),
  /** What its upload or its last retry asked for, an EngineChoice; absent: that of its collection. */
  engine: z.string().optional(),
  /** The job that decides; a late event of another job changes that job only. */
  jobId: JobId.optional(),
  /** How many jobs this media item has had: the next one is jobCount + 1. */
  jobCount: z.number().int().nonnegative(),
  /** How many of them were for the present source version and not yet ready. */
  attempts: z.number().int().nonnegative(),
  current: PublishedVersion.optional(),
  /** Kept until `expiresAt`, for players that still read it and for a rollback. */
  previous: PublishedVersion.extend({ expiresAt: Time }).optional(),
  /** When the two versions last changed places. */
  rolledBackAt: Time.optional(),
  /** When it could be played first. Absent before, and of media that an earlier release published. */
  playableAt: Time.optional(),
  /** The job of which viewers get what there is, while its state is `transcoding`, and where that lies. */
  growing: z.object({ jobId: JobId, access: Access }).optional(),
  error: Failure.optional(),
  scheduleRetranscode: z.boolean().default(false),
  /** `todoAt` of the collection's flag that has flagged this media item: one flag does so once, however often it is expanded. */
  flaggedFor: z.string().optional(),
  /** Whether the present flag is of a roll-out alone, which may take it back. */
  flaggedByRollOut: z.literal(true).optional(),
  originalDeletedAt: Time.optional(),
  /** While `error` is source_restoring; left behind afterwards. */
  restoring: Restoring.optional(),
  /** Of its ArchiveRow, which is written in the same transaction; absent while it has none. */
  archive: z
    .object({
      state: z.enum(ARCHIVE_STATES),
      /** The upload that it is about. */
      versionId: z.string(),
      /** The collection whose sums count it. */
      collectionId: CollectionId,
      /** Of the original and of the copy. */
      bytes: z.object({ original: z.number().int(), copy: z.number().int() }).optional(),
      /** Of what is in a cheaper storage class: its class, and its bytes. */
      storageClass: z.enum(ARCHIVE_CLASSES).optional(),
      movedBytes: z.number().int().optional(),
      /** While it is due, and its original is restored before. */
      restoring: Restoring.optional(),
      /** An ArchiveReason. */
      reason: z.string().optional(),
      deleteAfter: Time.optional(),
    })
    .optional(),
  /** For a media item marked for deletion: the newest version of its upload at that moment. It is removed, with the older ones. */
  deleteThrough: z.string().optional(),
  /** What it was when it was marked, where that can be put back: nothing was under way. */
  deletion: z.object({ from: z.enum(['ready', 'failed']), flagged: z.boolean() }).optional(),
  /** Whether sweep has begun to remove it. */
  removing: z.literal(true).optional(),
  /** Whether its key was uploaded again since it was marked for deletion: that upload is accepted when this media item is gone. */
  uploadedAgain: z.boolean().optional(),
  createdAt: Time,
  updatedAt: Time,
  /** Present while sweep has work with this row: DUE_WORK.retranscode, DUE_WORK.delete or DUE_WORK.upload. */
  todo: z.string().optional(),
  todoAt: z.string().optional(),
});
export type MediaRow = z.infer<typeof MediaRow>;

/** Whether its mark for deletion can be taken back: nothing was under way when it was set, nothing is removed, and no upload has come since. */
export function isUndeletable({ state, deletion, removing, uploadedAgain }: MediaRow): boolean {
  return state === 'deleting' && deletion !== undefined && removing === undefined && !uploadedAgain;
}

/** A superseded version, to be removed by sweep at `todoAt`. One row each, so that two quick re-transcodes lose none. */
export const OldVersionRow = z.object({
  type: z.literal('old-version'),
  mediaId: MediaId,
  creatorId: CreatorId,
  version: z.number().int().positive(),
  /** The place of its objects; absent means public. */
  access: Access.optional(),
  /** Whether only what was shown of it before it was whole is to be removed. */
  grown: z.literal(true).optional(),
  todo: z.literal('expire'),
  todoAt: Time,
});
export type OldVersionRow = z.infer<typeof OldVersionRow>;

/** What remains of a deleted media item: one that is dropped under its key later continues its counts. */
export const TombstoneRow = z.object({
  type: z.literal('tombstone'),
  jobCount: z.number().int().nonnegative(),
  seq: z.number().int().nonnegative(),
  /** Seconds since the epoch, for DynamoDB's TTL. */
  expiresAt: z.number().int(),
});
export type TombstoneRow = z.infer<typeof TombstoneRow>;

/** Beside the media row of an announced upload. */
export const UploadRow = z.object({
  type: z.literal('upload'),
  mediaId: MediaId,
  key: z.string(),
  fileName: z.string(),
  size: z.number().int(),
  contentType: z.string(),
  /** What the client has said of the file, for itself. */
  fingerprint: z.string().optional(),
  multipart: z.object({ uploadId: z.string(), partSize: z.number().int(), partCount: z.number().int() }).optional(),
  announcedAt: Time,
  deadline: Time,
  /** The version of the object that came by a URL after the upload was given up or its media item deleted: sweep removes it. */
  late: z.string().optional(),
  todo: z.literal('late-upload').optional(),
  todoAt: Time.optional(),
  /** Seconds since the epoch, for DynamoDB's TTL. */
  expiresAt: z.number().int(),
});
export type UploadRow = z.infer<typeof UploadRow>;
