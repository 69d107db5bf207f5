import { z } from 'zod';
import { CollectionId, CreatorId, MediaId } from '../ids.ts';
import { each, OPTIONAL_NAMES } from '../outputs.ts';
import { PresetSettings } from '../preset-settings.ts';
import { PresetContent } from '../presets.ts';
import { ROLL_OUT_STATES, VersionFacts } from '../table/presets.ts';
import { PresetName } from './fields.ts';

const Time = z.iso.datetime();

/** Of one that is made or changed. Those that a later release brings begin with `dropreel-`, so that none takes the place of another's. */
export const OwnPresetName = PresetName.refine(
  (name) => !name.startsWith('dropreel-'),
  'Names that begin with dropreel- are reserved',
);

export const PresetRequest = PresetSettings.meta({ id: 'PresetRequest' });
export type PresetRequest = z.infer<typeof PresetRequest>;

/** Who uses a preset. */
export const PresetUsers = z.object({
  /** The first of them, by id. */
  collections: z.array(
    z.object({
      id: CollectionId,
      /** At most 1000 are counted. */
      media: z.number().int(),
      complete: z.boolean(),
    }),
  ),
  /** How many collections use it beside those. */
  more: z.number().int(),
});
export type PresetUsers = z.infer<typeof PresetUsers>;

export const PresetView = z
  .object({
    name: z.string(),
    builtIn: z.boolean(),
    /** Null: built in. */
    creatorId: CreatorId.nullable(),
    version: z.number().int(),
    ...PresetContent.omit({ rungs: true, codec: true, outputs: true }).shape,
    rungs: z.array(z.object({ shortSide: z.number(), maxBitrate: z.number(), audio: z.string() })),
    codec: z.string(),
    outputs: z.object(each(OPTIONAL_NAMES, () => z.boolean().default(false))),
    /** When this version was made; null: built in. */
    createdAt: Time.nullable(),
    /** Of a single preset, in its present version. */
    users: PresetUsers.optional(),
  })
  .meta({ id: 'Preset' });
export type PresetView = z.infer<typeof PresetView>;

export const PresetList = z.object({ items: z.array(PresetView) }).meta({ id: 'PresetList' });

export const RollOutRequest = z
  .strictObject({
    /** Its media only; absent: those of all collections that have the preset. */
    collectionId: CollectionId.optional(),
    /** How many of them are encoded first, in per cent, one at least; 100: all, without a pause. */
    samplePercent: z.number().positive().max(100).default(1),
  })
  .meta({ id: 'RollOutRequest' });

const Facts = VersionFacts.omit({ poster: true }).extend({
  /** Address of its poster, while the version is kept; absent where it has none. */
  posterUrl: z.string().optional(),
});

export const RollOutView = z
  .object({
    preset: z.string(),
    /** Of the preset, which is rolled out. */
    version: z.number().int(),
    collectionId: CollectionId.optional(),
    samplePercent: z.number(),
    state: z.enum(ROLL_OUT_STATES),
    /** Why it was stopped. */
    why: z.string().optional(),
    /** Media: those that were chosen so far, of these those under way and those that ended. */
    taken: z.number().int(),
    underWay: z.number().int(),
    done: z.number().int(),
    failed: z.number().int(),
    /** Deleted, moved, or encoded by something else meanwhile. */
    skipped: z.number().int(),
    /** How many were asked to go back to the version before. */
    putBack: z.number().int(),
    /** The first that were done, old against new. */
    report: z.array(z.object({ mediaId: MediaId, before: Facts, after: Facts })),
    /** The last failures. */
    failures: z.array(z.object({ mediaId: MediaId, code: z.string(), message: z.string() })),
    startedAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'RollOut' });
export type RollOutView = z.infer<typeof RollOutView>;
