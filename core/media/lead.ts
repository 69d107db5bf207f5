import { GOP_SECONDS } from './plan.ts';
import type { Fraction } from './probe.ts';

/** Among the frames that fill the time before a late picture, those at its own rate: x264 delays its clock by the distance of the first. */
const FIRST_REPEATS = 8;

export interface LeadFrames {
  /** How many are shown at the picture's own rate. */
  close: number;
  /** The first GOP that begins after those. */
  grid: number;
  /** All of them. */
  count: number;
}

/** The frames that fill the first `lead` seconds of a picture that begins late. */
export function leadFrames(lead: number, rate: Fraction): LeadFrames {
  const frame = rate.den / rate.num;
  const close = Math.min(FIRST_REPEATS, Math.ceil(lead / frame));
  const grid = Math.floor(((close - 1) * frame) / GOP_SECONDS) + 1;
  const sparse = Math.max(0, Math.ceil((lead - 0.0005) / GOP_SECONDS) - grid);
  return { close, grid, count: close + sparse };
}
