import { getCollection, type Table } from '../../aws/table.ts';
import { AUTO } from '../../core/contracts/engines.ts';
import { DEFAULT_PRESET, PRESETS, type Preset } from '../../core/contracts/presets.ts';
import type { CollectionRow } from '../../core/contracts/table/collections.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import type { Encoding } from '../../core/jobs/start.ts';
import { logger } from './observability.ts';

/** A preset that a later release no longer has is not a reason to refuse an upload: the default replaces it. */
export function presetNamed(name: string): Preset {
  const found = PRESETS[name];
  if (found) return found;
  logger.warn('unknown preset', { name, instead: DEFAULT_PRESET });
  const preset = PRESETS[DEFAULT_PRESET];
  if (!preset) throw new Error(`There is no preset ${DEFAULT_PRESET}.`);
  return preset;
}

/** How a media item of this collection is encoded. Without a row of either, the defaults apply. */
export function encodingOf(collection: CollectionRow | null, media: Pick<MediaRow, 'engine'> | null): Encoding {
  return {
    preset: presetNamed(collection?.preset ?? DEFAULT_PRESET),
    engine: media?.engine ?? collection?.engine ?? AUTO,
  };
}

/** As `encodingOf`, with the collection as it is now. */
export async function readEncoding(
  table: Table,
  media: Pick<MediaRow, 'creatorId' | 'collectionId' | 'engine'>,
): Promise<Encoding> {
  return encodingOf(await getCollection(table, media.creatorId, media.collectionId), media);
}
