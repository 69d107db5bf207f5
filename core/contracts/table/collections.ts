import { z } from 'zod';
import { CollectionId, CreatorId } from '../ids.ts';
import { ACCESS } from '../keys.ts';

const Time = z.iso.datetime();
const Access = z.enum(ACCESS);

export const CollectionRow = z.object({
  type: z.literal('collection'),
  creatorId: CreatorId,
  collectionId: CollectionId,
  title: z.string(),
  /** The name of a preset, built in or the creator's own. */
  preset: z.string(),
  /** An EngineChoice; absent means AUTO. */
  engine: z.string().optional(),
  deleteOriginal: z.boolean().default(false),
  /** Whether a media item whose original is gone may be encoded again from an output: its MP4 or, for audio, its best rendition. */
  retranscodeFromOutput: z.boolean().default(false),
  /** Minutes after an upload within which it is to be encoded, for the choice of `auto`; absent or null: any time. */
  deadlineMinutes: z.number().nullish(),
  /** USD that encodes of its media may cost in a month (UTC); absent or null: any. */
  maxUsdPerMonth: z.number().nullish(),
  /** Applies to what is published from now on. */
  playback: Access.default('public'),
  /** The sites that may frame its media's pages; absent or null: any where they are public, none where they are private. */
  embedOrigins: z.array(z.string()).nullish(),
  scheduleRetranscode: z.boolean().default(false),
  /** How far the flag of that `todoAt` is expanded: the last media item's keys in byCollection, as JSON. */
  flagCursor: z.object({ flag: z.string(), after: z.string() }).optional(),
  createdAt: Time,
  updatedAt: Time,
  todo: z.string().optional(),
  todoAt: z.string().optional(),
});
export type CollectionRow = z.infer<typeof CollectionRow>;

/** What remains of a deleted collection: one that a drop creates again is as private as before. */
export const CollectionTombstoneRow = z.object({ type: z.literal('collection-tombstone'), playback: Access });
export type CollectionTombstoneRow = z.infer<typeof CollectionTombstoneRow>;
