import { z } from 'zod';
import { CollectionId, CreatorId, MediaId } from '../ids.ts';
import { PresetName } from './fields.ts';

const Count = z.number().int();

/** What is known of a file that is not uploaded; codecs by FFmpeg's names. Without a picture it is taken for sound. */
const FileFacts = z.strictObject({
  durationSeconds: z.number().positive().max(1e6).optional(),
  width: z.number().int().positive().max(65_536).optional(),
  height: z.number().int().positive().max(65_536).optional(),
  frameRate: z.number().positive().max(1000).optional(),
  videoCodec: z.string().max(50).optional(),
  audioCodec: z.string().max(50).optional(),
  /** Replaces an unknown length, roughly. */
  sizeBytes: z.number().int().positive().optional(),
});

/** One of the first three says what is to be encoded. */
export const EstimateRequest = z
  .strictObject({
    mediaId: MediaId.optional(),
    /** All media of the collection. */
    collectionId: CollectionId.optional(),
    /** Of these, only those that a roll-out of the preset would encode: they play, by another version. */
    outdated: z.boolean().optional(),
    file: FileFacts.optional(),
    /** For operators: the creator whose collection it is. */
    creatorId: CreatorId.optional(),
    /** Absent: that of the collection. */
    preset: PresetName.optional(),
    /** Within how many minutes each encode is to be done. */
    deadlineMinutes: z.number().positive().max(1e6).optional(),
  })
  .refine(
    ({ mediaId, collectionId, file }) => [mediaId, collectionId, file].filter((it) => it !== undefined).length === 1,
    'takes one of mediaId, collectionId and file',
  )
  .refine(
    ({ outdated, collectionId }) => outdated === undefined || collectionId !== undefined,
    'takes outdated with collectionId only',
  )
  .meta({ id: 'EstimateRequest' });
export type EstimateRequest = z.infer<typeof EstimateRequest>;

export const Estimate = z
  .object({
    /** The region whose prices these are. */
    region: z.string(),
    /** How many media it is for. */
    media: Count,
    /** False for a collection with more media than are looked at. */
    complete: z.boolean(),
    /** Of the outputs: what the present versions have, and what the new ones have if every cap is reached. An API of release 0.2 does not say. */
    bytes: z.object({ present: z.number(), most: z.number() }).default({ present: 0, most: 0 }),
    engines: z.array(
      z.object({
        engine: z.string(),
        /** For how many of them it is fit; the sums are of these. */
        media: Count,
        /** Of encoding, one after the other, without waiting for a worker. */
        seconds: z.number(),
        usd: z.number(),
        /** How many finished jobs of such sources have corrected what the engine assumes; of several classes, the fewest. */
        jobs: Count,
        unfit: z.array(z.object({ why: z.string(), media: Count })),
      }),
    ),
    /** What would encode them, as things are, and why. */
    choice: z.array(
      z.object({ engine: z.string(), reason: z.string(), media: Count, seconds: z.number(), usd: z.number() }),
    ),
  })
  .meta({ id: 'Estimate' });
export type Estimate = z.infer<typeof Estimate>;
