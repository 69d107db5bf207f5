import { PRESETS } from '../../core/contracts/presets.ts';
import { pricesIn } from '../../core/contracts/prices.ts';
import {
  chunkCount,
  JOIN_SHARE,
  LOOK_SECONDS,
  leadSeconds,
  PAID_START_SECONDS,
  SOUND_SHARE,
} from '../../core/media/chunk-count.ts';
import { encodeSeconds } from '../../core/media/estimate.ts';
import { priceOf } from '../../engines/batch/price.ts';

/** What a film takes on so many machines, where none waits for another film: a simulation, by figures that are measured and guessed. */

export const VCPUS = 4;
/** Of a task on Fargate, from its submission to the worker's first line: 30 to 45 s (a guess, core/media/chunk-count.ts). */
const START = { least: 30, most: 45 };
/** A chunk takes up to so much more or less than its share, by what it shows. A guess. */
const UNEVEN = 0.2;
export interface Simulated {
  chunks: number;
  /** From the submission of the first worker to the last upload. */
  seconds: number;
  usd: number;
  /** Times what one worker costs. */
  dearer: number;
}

/**
 * @param film seconds of 1080p30
 * @param workers how many there may be at once
 * @param count of chunks, in the place of what the rule says
 */
export function simulate(film: number, workers: number, count?: number): Simulated {
  const { standard } = PRESETS;
  if (!standard) throw new Error('no preset standard');
  const source = { durationSeconds: film, width: 1920, height: 1080, frameRate: 30 };
  const whole = encodeSeconds(source, standard, VCPUS) ?? 0;
  const chunks = count ?? chunkCount(film, whole, workers);
  const random = generator(film + workers);
  const start = () => START.least + random() * (START.most - START.least);
  const usdOf = (seconds: number) => priceOf({ vcpuSeconds: VCPUS * seconds }, pricesIn('us-east-1').prices).usd;
  const alone = usdOf(PAID_START_SECONDS + whole);
  if (chunks === 1) return { chunks, seconds: start() + whole, usd: alone, dearer: 1 };
  // Uneven by as much as makes no difference in all.
  const weights = Array.from({ length: chunks }, () => 1 + UNEVEN * (2 * random() - 1));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const work = [...weights.map((weight) => (whole * weight) / sum + leadSeconds(film, whole)), film * SOUND_SHARE];
  const machines = Array.from({ length: workers }, () => 0);
  for (const seconds of work) {
    const next = machines.indexOf(Math.min(...machines));
    machines[next] = (machines[next] ?? 0) + start() + seconds;
  }
  const others = LOOK_SECONDS + film * JOIN_SHARE;
  const paid = work.reduce((total, seconds) => total + seconds + PAID_START_SECONDS, 2 * PAID_START_SECONDS + others);
  const usd = usdOf(paid);
  return { chunks, seconds: start() + others + Math.max(...machines) + start(), usd, dearer: usd / alone };
}

/** Numbers from 0 to 1, the same for the same seed: a linear congruential generator, as in Numerical Recipes. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
