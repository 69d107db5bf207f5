import { z } from 'zod';
import { ARCHIVE_CLASSES, CollectionArchivePolicy } from '../archive.ts';
import { CollectionId, CreatorId, JobId, MediaId } from '../ids.ts';
import { ARCHIVE_STATES } from '../table/media.ts';

const Time = z.iso.datetime();
const Bytes = z.number().int();

type Shape = typeof CollectionArchivePolicy.shape;
type Given = { [Name in keyof Shape]: z.ZodOptional<ReturnType<Shape[Name]['unwrap']>> };

/** Without the defaults, which `partial` keeps: a field that is left out is not set. */
const given = Object.fromEntries(
  Object.entries(CollectionArchivePolicy.shape).map(([name, field]) => [name, field.unwrap().optional()]),
) as Given;
const ArchivePolicyChange = z.strictObject(given).meta({ id: 'ArchivePolicyChange' });

/** Fields that are left out keep their value, or get the default of a collection that has no policy yet. */
export const ArchiveRequest = z
  .strictObject({
    /** Whether anything is archived by itself, and originals whose day has come are deleted. */
    enabled: z.boolean(),
    policy: ArchivePolicyChange,
  })
  .partial()
  .meta({ id: 'ArchiveRequest', minProperties: 1 });
export type ArchiveRequest = z.infer<typeof ArchiveRequest>;

export const ArchiveRunRequest = z
  .strictObject({
    /** Look through all media of the collection again, and not only through those that have become old enough since. */
    all: z.boolean().default(false),
    /** Whatever the window, and also where it is off, until nothing is due. */
    force: z.boolean().default(false),
  })
  .meta({ id: 'ArchiveRunRequest' });

/** Of a media item: what the archive did with its original, or is about to do. */
export const MediaArchiveView = z
  .object({
    state: z.enum(ARCHIVE_STATES),
    bytes: z.object({ original: Bytes, copy: Bytes }).optional(),
    /** Where it goes, or is, when it is moved to a cheaper storage class. */
    storageClass: z.enum(ARCHIVE_CLASSES).optional(),
    /** Why its original stays: docs/archive.md. */
    reason: z.string().optional(),
    /** Of a single media item: what it waits for, or why its original stays, in words. */
    detail: z.string().optional(),
    /** Until then a restore puts the original back. */
    deleteAfter: Time.optional(),
  })
  .meta({ id: 'MediaArchive' });

/** Of some originals, in USD. */
const Sum = {
  files: z.number().int(),
  /** Once. */
  cost: z.number(),
  savedBytes: Bytes,
  savedPerMonth: z.number(),
};

/** Sums over some of a collection's media: those of all pages together are the plan. USD at list prices. */
export const ArchivePlanView = z
  .object({
    /** Originals that the policy is for now, and their bytes. */
    files: z.number().int(),
    bytes: Bytes,
    /** Of their bytes, what a re-encode is expected to save, 0 to 1: as before in the collection, or the policy's target. */
    savedPart: z.number(),
    /** What each way would come to, for those to which it is open; `chosen`: how many of them the policy gives it. */
    ways: z.array(
      z.object({
        way: z.enum(['reencode', 'storage-class', 'both']),
        ...Sum,
        chosen: z.number().int(),
      }),
    ),
    /** What the policy does: each original in the way that it gives it. */
    total: z.object(Sum),
    next: z.string().nullable(),
  })
  .meta({ id: 'ArchivePlan' });
export type ArchivePlanView = z.infer<typeof ArchivePlanView>;

export const ArchiveView = z
  .object({
    collectionId: CollectionId,
    creatorId: CreatorId,
    enabled: z.boolean(),
    policy: CollectionArchivePolicy,
    /** Why nothing more is begun now. */
    waits: z.string().nullable(),
    /** When it is looked at again, at the latest. */
    nextLookAt: Time.nullable(),
    stats: z.object({
      archived: z.number().int(),
      originalBytes: Bytes,
      archivedBytes: Bytes,
      savedPercent: z.number(),
      /** Of originals that are still there. */
      keptBytes: Bytes,
      /** Originals, and copies of deleted ones, in a cheaper storage class. */
      moved: z.number().int(),
      movedBytes: Bytes,
      last: Time.nullable(),
      /** Media whose original stays, by the reason. */
      refused: z.record(z.string(), z.number().int()),
    }),
    /** Copies that are being made. */
    current: z.array(
      z.object({
        mediaId: MediaId,
        jobId: JobId.optional(),
        state: z.string(),
        since: Time,
        waits: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'Archive' });
export type ArchiveView = z.infer<typeof ArchiveView>;
