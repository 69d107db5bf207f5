import type { PresetUsers, PresetView } from '../contracts/http/presets.ts';
import { contentOf, type Preset, type PresetContent } from '../contracts/presets.ts';
import type { PresetRow, PresetVersionRow } from '../contracts/table/presets.ts';

/** Presets as clients see them: what of one may be sent back has the same names. */

export function presetView(row: PresetRow | PresetVersionRow, users?: PresetUsers): PresetView {
  const { name, version, creatorId, content } = row;
  const createdAt = row.type === 'preset' ? row.updatedAt : row.createdAt;
  return { ...{ name, builtIn: false, creatorId, version }, ...shown(content), createdAt, ...(users && { users }) };
}

export function builtInView(preset: Preset, users?: PresetUsers): PresetView {
  const { name, version } = preset;
  const said = shown(contentOf(preset));
  return { ...{ name, builtIn: true, creatorId: null, version }, ...said, createdAt: null, ...(users && { users }) };
}

function shown({ rungs, ...content }: PresetContent) {
  return { ...content, rungs: rungs.map(({ name: _name, ...rung }) => rung) };
}
