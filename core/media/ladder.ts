import type { Preset, Rung } from './presets.ts';
import { evenSize, type Size, shortSide, withShortSide } from './size.ts';

export interface PlannedRung extends Size {
  /** `720p`: names its files and its line in the master playlist. */
  name: string;
  /** Bits per second. */
  maxBitrate: number;
  audio: Rung['audio'];
  /** x264's preset. */
  x264Preset: string;
}

/**
 * The rungs that a source of this displayed size gets, largest first. Each is scaled by the short side and none is larger than
 * the source; a source smaller than the lowest rung gets one of its own size, with the lowest rung's bit rates.
 */
export function ladderFor(source: Size, preset: Preset): PlannedRung[] {
  const rungs = [...preset.rungs].sort((a, b) => b.shortSide - a.shortSide);
  const fitting = rungs.filter((rung) => rung.shortSide <= shortSide(source));
  if (fitting.length > 0) {
    return fitting.map(({ name, shortSide: to, maxBitrate, audio }) => ({
      name,
      maxBitrate,
      audio,
      x264Preset: x264PresetFor(to),
      ...withShortSide(source, to),
    }));
  }
  const own = evenSize(source);
  return rungs.slice(-1).map(({ maxBitrate, audio, shortSide: lowest }) => ({
    name: `${shortSide(own)}p`,
    maxBitrate,
    audio,
    x264Preset: x264PresetFor(lowest),
    ...own,
  }));
}

/** By the table in docs/encoding.md: bytes saved against CPU spent. */
export function x264PresetFor(_shortSide: number): string {
  return 'medium';
}
