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

/** For every rung, by the table in docs/encoding.md: at the same quality it needs at most 2 % more bytes than `medium`. */
const X264_PRESET = 'faster';

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
      x264Preset: X264_PRESET,
      ...withShortSide(source, to),
    }));
  }
  const own = evenSize(source);
  return rungs.slice(-1).map(({ maxBitrate, audio }) => ({
    name: `${shortSide(own)}p`,
    maxBitrate,
    audio,
    x264Preset: X264_PRESET,
    ...own,
  }));
}
