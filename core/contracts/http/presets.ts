import { z } from 'zod';
import { CollectionId, CreatorId } from '../ids.ts';
import { each, OPTIONAL_NAMES } from '../outputs.ts';
import { PresetSettings } from '../preset-settings.ts';
import { PresetContent } from '../presets.ts';
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
