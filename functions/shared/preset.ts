import { DEFAULT_PRESET, PRESETS, type Preset } from '../../core/media/presets.ts';
import { logger } from './stack.ts';

/** A preset that a later release no longer has is no reason to refuse an upload: the default takes its place. */
export function presetNamed(name: string): Preset {
  const found = PRESETS[name];
  if (found) return found;
  logger.warn('unknown preset', { name, instead: DEFAULT_PRESET });
  const preset = PRESETS[DEFAULT_PRESET];
  if (!preset) throw new Error(`There is no preset ${DEFAULT_PRESET}.`);
  return preset;
}
