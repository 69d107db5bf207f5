import { z } from 'zod';
import { ARCHIVE_CLASSES, ArchiveRefusal, CollectionArchivePolicy, Quality } from '../archive.ts';
import { HashedFile } from '../archive-job.ts';
import { CollectionId, CreatorId, JobId, MediaId } from '../ids.ts';
import { ARCHIVE_STATES, Restoring, Source } from './media.ts';

/** Rows of the archive in S3: docs/decisions/0501-the-archive-in-s3.md. Times are ISO 8601 in UTC, sizes bytes. */

const Time = z.iso.datetime();

/** What is verified, and takes the original's place. */
export const Replaced = z.object({
  original: HashedFile,
  copy: HashedFile.extend({ key: z.string(), versionId: z.string().optional() }),
  quality: Quality,
  encoder: z.string(),
  ffmpeg: z.string(),
});
export type Replaced = z.infer<typeof Replaced>;

/**
 * Beside the row of a media item. Its state is that of the media row's `archive`, because both are written in one transaction.
 * - `due`: it waits for its turn.
 * - `encoding`: a worker makes the copy, or is asked to.
 * - `replacing`: the copy is verified, and is being copied to its key.
 * - `archived`: the copy is the media item's source; the original stays until `deleteAfter`.
 * - `purging`: the original is being deleted, and can not be put back any more.
 * - `purged`: the original is deleted.
 * - `refused`: the original stays. After a restore, `replaced` names the copy until sweep has removed it.
 * - `moving`, `moved`: the original, or the copy of one that is deleted, goes to a cheaper storage class, or is there.
 */
export const ArchiveRow = z.object({
  type: z.literal('archive'),
  mediaId: MediaId,
  creatorId: CreatorId,
  collectionId: CollectionId,
  state: z.enum(ARCHIVE_STATES),
  /** When it came to this state. */
  at: Time,
  /** The upload that it is about, under its own key. */
  source: Source,
  /** The part of the policy on which the outcome depends, by policyKey of core/archive/candidates.ts. */
  policy: z.string(),
  /** Whether a person asked for it by name: age, window and an earlier refusal do not count. */
  asked: z.literal(true).optional(),
  /** Of the job under way, or the last. */
  jobId: JobId.optional(),
  /** Absent until the engine accepted it. */
  engineJobId: z.string().optional(),
  /** Until then one caller is submitting it. */
  submittingUntil: Time.optional(),
  /** When it is stopped because its window ends; absent: it may run to its end. */
  stopAt: Time.optional(),
  startedAt: Time.optional(),
  /** Of the policy when the job was begun. */
  keepOriginalDays: z.number().optional(),
  /** Attempts in a row that ended without a result. */
  failures: z.number().int().nonnegative().optional(),
  /** Milliseconds that were not enough: the longest attempt that the end of a window stopped. */
  tooShortMs: z.number().int().optional(),
  /** Why it waits, for people. */
  waits: z.string().optional(),
  /** Of its original, which cannot be read before. */
  restoring: Restoring.optional(),
  /** What it counts for under caps: as that of a job's row. */
  charged: z
    .object({ usd: z.number(), month: z.string(), under: z.array(z.enum(['creator', 'collection'])) })
    .optional(),
  refusals: z.array(ArchiveRefusal).min(1).optional(),
  replaced: Replaced.optional(),
  /** S3's id of the upload by which a large copy gets to its key, in parts. */
  uploadId: z.string().optional(),
  /** When the copy became the source. */
  archivedAt: Time.optional(),
  /** The original may be deleted then. */
  deleteAfter: Time.optional(),
  /** Why it is not, though that time has come: a lock, a copy that does not verify. */
  kept: z.string().optional(),
  deletedAt: Time.optional(),
  /** Where the original goes, or is: also where it is to go if no copy can be made of it. From `moving` on: that of what is moved. */
  storageClass: z.enum(ARCHIVE_CLASSES).optional(),
  /** Where the copy goes when the original is deleted. */
  copyClass: z.enum(ARCHIVE_CLASSES).optional(),
  todo: z.string().optional(),
  todoAt: Time.optional(),
});
export type ArchiveRow = z.infer<typeof ArchiveRow>;

/** A collection's policy, and how far its media are looked through. */
export const ArchivePolicyRow = z.object({
  type: z.literal('archive-policy'),
  creatorId: CreatorId,
  collectionId: CollectionId,
  policy: CollectionArchivePolicy,
  /** While it is off, only what a person asks for by name is done, and no original is deleted. */
  enabled: z.boolean(),
  /** Counts the changes of the policy. */
  rev: z.number().int(),
  /** Until then the window does not count: a person has asked for a run. */
  forcedUntil: Time.optional(),
  /** The last media item that was looked at: its keys in byCollection, as JSON. Those behind it are younger. */
  cursor: z.string().optional(),
  /** Why nothing is started now. */
  waits: z.string().optional(),
  /** Originals a second, as learned. */
  bytesPerSecond: z.number().positive().optional(),
  updatedAt: Time,
  /** Absent while there is nothing to do. `todoAt`: when it is looked at again, at the latest with the next window. */
  todo: z.literal('archive-policy').optional(),
  todoAt: Time.optional(),
});
export type ArchivePolicyRow = z.infer<typeof ArchivePolicyRow>;

/** Of a collection: sums over its media, each change in the transaction of what it counts. */
export const ArchiveStatsRow = z.looseObject({
  type: z.literal('archive-stats'),
  archived: z.number().default(0),
  originalBytes: z.number().default(0),
  archivedBytes: z.number().default(0),
  /** Of originals that are still there. */
  keptBytes: z.number().default(0),
  /** What is in a cheaper storage class: originals, and copies, which count above as well. */
  moved: z.number().default(0),
  movedBytes: z.number().default(0),
  last: Time.optional(),
});
export type ArchiveStatsRow = z.infer<typeof ArchiveStatsRow>;
