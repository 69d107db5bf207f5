import { NEAR, type Preset, type Rung } from '../contracts/presets.ts';
import { evenSize, longSide, type Size, scaledBy, shortSide } from './size.ts';

export interface PlannedRung extends Size {
  /** `720p`: the name in its files and in its line of the master playlist. */
  name: string;
  /** Bits per second. */
  maxBitrate: number;
  audio: Rung['audio'];
  /** x264's preset. */
  x264Preset: string;
}

/** For every rung, by the table in docs/encoding.md: at the same quality it needs at most 2 % more bytes than `medium`. */
const X264_PRESET = 'faster';

/** Rungs are named after 16:9 pictures: a rung is a box of this shape, which a picture of another shape touches on one side only. */
const BOX_ASPECT = 16 / 9;
/** Pictures a second for which the caps of rungs are. */
const USUAL_RATE = 30;
/** Of a picture below all rungs, bits per second: what the lowest built-in rung has. */
const LEAST_CAP = 500_000;

/**
 * The rungs that a source of this displayed size gets, largest first. A source fits into the box of each smaller rung, and none is scaled
 * up. One that lies between two rungs keeps its own size on top: under the name and bit rate of the larger rung if that is near, otherwise
 * under a name of its own, with the larger rung's bit rate by the pixels, and above 30 pictures a second by these too, up to all of it. So has
 * one below all rungs, down to 500 kbit/s. The preset's largest rung is the limit.
 * @param rate Pictures a second, where it is known.
 */
export function ladderFor(source: Size, preset: Preset, rate = USUAL_RATE): PlannedRung[] {
  const rungs = [...preset.rungs].sort((a, b) => b.shortSide - a.shortSide);
  const fitting = rungs.filter((rung) => factorOf(rung, source) <= 1);
  const planned = fitting.map((rung) => plan(rung, scaledBy(source, factorOf(rung, source))));
  const above = rungs.filter((rung) => factorOf(rung, source) > 1).at(-1);
  const [largest] = fitting;
  if (above === undefined || (largest && factorOf(largest, source) >= 1 / NEAR)) return planned;
  return [plan(ownRung(source, rungs, { above, below: largest, rate }), evenSize(source)), ...planned];
}

/** By how much the source has to be scaled to touch the rung's box. Above 1: the box is larger. */
function factorOf(rung: Rung, source: Size): number {
  return Math.min(rung.shortSide / shortSide(source), (rung.shortSide * BOX_ASPECT) / longSide(source));
}

function plan({ name, maxBitrate, audio }: Rung, size: Size): PlannedRung {
  return { name, maxBitrate, audio, x264Preset: X264_PRESET, ...size };
}

function ownRung(
  source: Size,
  rungs: readonly Rung[],
  { above, below, rate }: { above: Rung; below: Rung | undefined; rate: number },
): Rung {
  const factor = factorOf(above, source);
  if (factor <= NEAR) return above;
  const own = evenSize(source);
  const byPixels = above.maxBitrate / factor ** 2;
  const byRate = Math.round(Math.min(above.maxBitrate, byPixels * Math.max(1, rate / USUAL_RATE)));
  const usual = `${shortSide(own)}p`;
  return {
    ...above,
    name: rungs.some(({ name }) => name === usual) ? `${own.width}x${own.height}` : usual,
    maxBitrate: Math.max(below ? below.maxBitrate : Math.min(above.maxBitrate, LEAST_CAP), byRate),
  };
}
