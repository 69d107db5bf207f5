import { PRESETS } from '../../core/contracts/presets.ts';
import { pricesIn } from '../../core/contracts/prices.ts';
import {
  chunkCount,
  FARGATE,
  JOIN_SHARE,
  LOOK_SECONDS,
  leadSeconds,
  SOUND_SHARE,
  UNEVEN,
} from '../../core/media/chunk-count.ts';
import { encodeSeconds } from '../../core/media/estimate.ts';
import { PIECE_ENDS } from '../../core/media/piece.ts';
import { priceOf } from '../../engines/batch/price.ts';

/** What a film takes on so many machines, where none waits for another film: a simulation, by figures that are measured and guessed. */

/** Of a worker. */
export const VCPUS = 4;
/** Of a task on Fargate, from its submission to the worker's first line: 30 to 45 s (a guess, core/media/chunk-count.ts). */
const START = { least: 30, most: 45 };
/** From the last picture of a piece to its master playlist: a look at the file, an upload, an event, a publish. A guess. */
const SHOW_SECONDS = 3;
export interface Simulated {
  chunks: number;
  /** From the submission of the first worker to the first piece that viewers get, and where workers wait for work; undefined of one encode. */
  first?: { cold: number; warm: number };
  /** From the submission of the first worker to the last upload. */
  seconds: number;
  usd: number;
  /** Times what one worker costs. */
  dearer: number;
}

/**
 * @param film seconds of 1080p30
 * @param workers how many there may be at once
 * @param wish in what time it is to be ready, in seconds; or in how many chunks, whatever the rule says
 */
export function simulate(
  film: number,
  workers: number,
  wish: { deadlineSeconds?: number; count?: number } = {},
  vcpus = VCPUS,
): Simulated {
  const { standard } = PRESETS;
  if (!standard) throw new Error('no preset standard');
  const source = { durationSeconds: film, width: 1920, height: 1080, frameRate: 30 };
  const whole = encodeSeconds(source, standard, vcpus) ?? 0;
  const { deadlineSeconds, count = chunkCount(film, whole, { workers, starts: FARGATE, deadlineSeconds }) } = wish;
  const random = generator(film + workers);
  const start = () => START.least + random() * (START.most - START.least);
  const usdOf = (seconds: number) => priceOf({ vcpuSeconds: vcpus * seconds }, pricesIn('us-east-1').prices).usd;
  const paid = (seconds: number) => Math.max(FARGATE.least, FARGATE.paid + seconds);
  const alone = usdOf(paid(whole));
  if (count === 1) return { chunks: 1, seconds: start() + whole, usd: alone, dearer: 1 };
  // Uneven by as much as makes no difference in all.
  const weights = Array.from({ length: count }, () => 1 + (UNEVEN - 1) * (2 * random() - 1));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const work = [...weights.map((weight) => (whole * weight) / sum + leadSeconds(film, whole)), film * SOUND_SHARE];
  const machines = Array.from({ length: workers }, () => 0);
  for (const seconds of work) {
    const next = machines.indexOf(Math.min(...machines));
    machines[next] = (machines[next] ?? 0) + start() + seconds;
  }
  const join = film * JOIN_SHARE;
  const usd = usdOf([LOOK_SECONDS, ...work, join].reduce((total, seconds) => total + paid(seconds), 0));
  const seconds = start() + LOOK_SECONDS + Math.max(...machines) + start() + join;
  const { segmentSeconds } = standard;
  const warm = LOOK_SECONDS + (PIECE_ENDS.pictures[0] * segmentSeconds * whole) / film + SHOW_SECONDS;
  return { chunks: count, first: { cold: start() + start() + warm, warm }, seconds, usd, dearer: usd / alone };
}

/** Numbers from 0 to 1, the same for the same seed: a linear congruential generator, as in Numerical Recipes. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
