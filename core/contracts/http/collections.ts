import { z } from 'zod';
import { AUTO, EngineChoice } from '../engines.ts';
import { CollectionId, CreatorId, NewCreatorId } from '../ids.ts';
import { DEFAULT_PRESET } from '../presets.ts';
import { EmbedOrigins, PresetName, Title } from './fields.ts';

const Time = z.iso.datetime();

const CollectionSettings = z.strictObject({
  title: Title,
  preset: PresetName,
  /** What encodes its media. */
  engine: EngineChoice,
  /** Delete the upload once the media is ready. */
  deleteOriginal: z.boolean(),
  retranscodeFromOutput: z.boolean(),
  playback: z.enum(['public', 'private']),
  /** The sites that may frame its media's pages; null: any where they are public, none where they are private. */
  embedOrigins: EmbedOrigins.nullable(),
  /** Minutes after an upload within which it is to be encoded: `auto` chooses an engine that is quick enough; null: any. */
  deadlineMinutes: z.number().positive().max(1e6).nullable(),
  /** For operators: USD that encodes of its media may cost in a month (UTC); null: any. */
  maxUsdPerMonth: z.number().nonnegative().max(1e9).nullable(),
});

export const CollectionRequest = CollectionSettings.partial()
  .extend({
    id: CollectionId,
    preset: PresetName.default(DEFAULT_PRESET),
    engine: EngineChoice.default(AUTO),
    creatorId: NewCreatorId.optional(),
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
    engine: z.string(),
    deleteOriginal: z.boolean(),
    retranscodeFromOutput: z.boolean(),
    playback: z.enum(['public', 'private']),
    embedOrigins: z.array(z.string()).nullable().default(null),
    deadlineMinutes: z.number().nullable().default(null),
    maxUsdPerMonth: z.number().nullable().default(null),
    scheduleRetranscode: z.boolean(),
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'Collection' });
export type CollectionView = z.infer<typeof CollectionView>;

export const CollectionPage = z
  .object({ items: z.array(CollectionView), next: z.string().nullable() })
  .meta({ id: 'CollectionPage' });
