import { MOST_PRESET_VERSIONS } from '../contracts/presets.ts';
import { rowKeys } from '../contracts/table/keys.ts';
import type { PresetRow, PresetVersionRow } from '../contracts/table/presets.ts';
import type { Change, Update } from './change.ts';

/** Changes of a creator's presets. */

/** Makes a preset, or the next version of one, unless the creator has made as many versions as are kept. @param last the highest version that a preset of this name ever had; 0 for none */
export function changePreset(
  before: PresetRow | null,
  last: number,
  { creatorId, name, content, now }: Pick<PresetRow, 'creatorId' | 'name' | 'content'> & { now: string },
): { change: Change; row: PresetRow } {
  const next = { creatorId, name, version: Math.max(last, before?.version ?? 0) + 1, content };
  const row: PresetRow = {
    ...{ type: 'preset', ...next },
    ...{ taken: before?.taken ?? 0, createdAt: before?.createdAt ?? now, updatedAt: now },
  };
  const kept: PresetVersionRow = { type: 'preset-version', ...next, createdAt: now };
  const key = rowKeys.preset(creatorId, name);
  const set = { version: next.version, content, updatedAt: now };
  return {
    row,
    change: [
      before ? { op: 'update', key, expect: asSeen(before), set } : { op: 'put', key, row },
      { op: 'put', key: rowKeys.presetVersion(creatorId, name, next.version), row: kept },
      {
        op: 'add',
        key: rowKeys.presetCount(creatorId),
        amounts: { versions: 1 },
        max: { versions: MOST_PRESET_VERSIONS },
        set: { type: 'preset-count' },
      },
    ],
  };
}

/** Its versions stay. */
export function removePreset(row: PresetRow): Change {
  return [{ op: 'remove', key: rowKeys.preset(row.creatorId, row.name), expect: asSeen(row) }];
}

/** In the change that gives a preset to a collection: it is there, and whoever has just looked who uses it has to look again. */
export function takePreset({ creatorId, name, taken }: PresetRow): Update {
  return { op: 'update', key: rowKeys.preset(creatorId, name), expect: { taken }, set: { taken: taken + 1 } };
}

/** As it was when its collections were listed. */
function asSeen({ version, taken }: PresetRow) {
  return { version, taken };
}
