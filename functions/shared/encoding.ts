import { getCollection, getRow, type Table } from '../../aws/table.ts';
import { AUTO } from '../../core/contracts/engines.ts';
import { DEFAULT_PRESET, isBuiltIn, PRESETS, type Preset } from '../../core/contracts/presets.ts';
import type { CollectionRow } from '../../core/contracts/table/collections.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { PresetRow } from '../../core/contracts/table/presets.ts';
import type { Encoding } from '../../core/jobs/start.ts';
import { logger } from './observability.ts';

/** A built-in preset. One that is not there any more is not a reason to refuse an upload: the default replaces it. */
function builtIn(name: string): Preset {
  const found = isBuiltIn(name) ? PRESETS[name] : undefined;
  if (found) return found;
  logger.warn('unknown preset', { name, instead: DEFAULT_PRESET });
  const preset = PRESETS[DEFAULT_PRESET];
  if (!preset) throw new Error(`There is no preset ${DEFAULT_PRESET}.`);
  return preset;
}

/** A preset as it is now: built in, or the creator's own. */
export async function readPreset(table: Table, creatorId: string, name: string): Promise<Preset> {
  const own = isBuiltIn(name) ? null : await getRow(table, rowKeys.preset(creatorId, name), PresetRow);
  return own ? { name, version: own.version, ...own.content } : builtIn(name);
}

/** What a job was made for, whatever has become of its preset since. */
export function presetOf({ preset, content }: JobRow): Preset {
  return content ? { ...preset, ...content } : builtIn(preset.name);
}

/** An EngineChoice. Without a row of either, the deployment chooses. */
export function engineOf(collection: CollectionRow | null, media: Pick<MediaRow, 'engine'> | null): string {
  return media?.engine ?? collection?.engine ?? AUTO;
}

/** How a media item of this collection is encoded. Without a row of either, the defaults apply. */
export async function encodingOf(
  table: Table,
  creatorId: string,
  collection: CollectionRow | null,
  media: Pick<MediaRow, 'engine'> | null,
): Promise<Encoding> {
  const preset = await readPreset(table, creatorId, collection?.preset ?? DEFAULT_PRESET);
  return { preset, engine: engineOf(collection, media) };
}

/** As `encodingOf`, with the collection as it is now. */
export async function readEncoding(
  table: Table,
  media: Pick<MediaRow, 'creatorId' | 'collectionId' | 'engine'>,
): Promise<Encoding> {
  const collection = await getCollection(table, media.creatorId, media.collectionId);
  return encodingOf(table, media.creatorId, collection, media);
}
