import type { Preset } from '../../core/contracts/presets.ts';
import type { Prices } from '../../core/contracts/prices.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { encodeSeconds, frameRateOf } from '../../core/media/estimate.ts';
import { ladderFor } from '../../core/media/ladder.ts';
import { planMp4 } from '../../core/media/plan-outputs.ts';
import { longSide, type Size, shortSide } from '../../core/media/size.ts';
import { priceOf as priceOfWorkers } from '../batch/price.ts';
import { type Cost, type Estimate, LENGTH_UNKNOWN, type Usage } from '../engine.ts';
import { readFinish } from './parts.ts';

/** Each output is billed by itself, for so much at least. */
const LEAST_SECONDS = 10;
/** Pictures a second, above which an output costs twice as much. */
const USUAL_RATE = 30;

/**
 * What MediaConvert bills, and the workers before and after it. Jobs that fail there are not billed. Of one that failed after that, no
 * result says which outputs there were: it costs as much as it was expected to, at least.
 */
export function priceOf(usage: Usage, prices: Prices): Cost {
  const { usd, vcpuSeconds } = priceOfWorkers(usage, prices);
  const encode = usage.result ? encodeUsd(usage.result, prices, usage.result.ownMp4) : 0;
  const { failed } = usage;
  const least = failed && (failed.billed || readFinish(failed.part)) ? failed.expectedUsd : 0;
  return { usd: Number(Math.max(usd + encode, least).toFixed(6)), vcpuSeconds };
}

/**
 * Seconds of MediaConvert for a second of source, by the pixels of its largest output: a guess, as fast as 1080p30 twice over, because no
 * page says it. Of sound alone, as of the worker's.
 */
const SECONDS_PER_PIXEL = 0.5 / (30 * 1920 * 1080);
/** Until a job is taken from its queue, and until two workers have started: a guess. */
const STARTS_SECONDS = 180;
/** What is left to the workers, as a part of a whole encode: to probe, to bring, to verify (`CPU_SECONDS_PER_PIXEL` of core/media). */
const LEFT_TO_WORKERS = 0.1;

export function estimate(source: SourceInfo, preset: Preset, prices: Prices): Estimate {
  const { durationSeconds, width, height } = source;
  const frameRate = frameRateOf(source, preset);
  const cpuSeconds = encodeSeconds(source, preset, 1);
  if (durationSeconds === undefined || cpuSeconds === null) return LENGTH_UNKNOWN;
  const picture = width && height ? { width, height } : undefined;
  const rungs = picture ? ladderFor(picture, preset) : [];
  const renditions = rungs.map((rung) => ({ ...rung, frameRate, durationSeconds }));
  const names = picture ? new Set(source.audioCodec ? rungs.map(({ audio }) => audio) : []) : new Set(SOUNDS);
  const sounds = [...names].map(() => ({ durationSeconds }));
  const [top] = rungs;
  const own = picture && preset.outputs.mp4 ? planMp4(picture, rungs, preset, true)?.encode : undefined;
  const outputs = rungs.length > 0 ? { renditions, audio: sounds } : { renditions: sounds, audio: [] };
  const encoding = durationSeconds * frameRate * (top ? top.width * top.height : 0) * SECONDS_PER_PIXEL;
  const workers = priceOfWorkers({ vcpuSeconds: cpuSeconds * LEFT_TO_WORKERS }, prices);
  return {
    seconds: STARTS_SECONDS + encoding + cpuSeconds * LEFT_TO_WORKERS,
    usd: Number((encodeUsd(outputs, prices, own) + workers.usd).toFixed(6)),
  };
}

/** Renditions of sound. */
const SOUNDS = ['128k', '64k'];

/** An output as it is billed. */
interface Billed {
  width?: number | undefined;
  height?: number | undefined;
  frameRate?: number | undefined;
  durationSeconds: number;
}

/** What MediaConvert's outputs of a job cost, in USD: the renditions and their sound, and an MP4 that is encoded by itself. */
export function encodeUsd(
  { renditions, audio }: { renditions: readonly Billed[]; audio: readonly Billed[] },
  { mediaConvert }: Pick<Prices, 'mediaConvert'>,
  ownMp4?: Size,
): number {
  const [top] = renditions;
  const pictures = renditions.flatMap(({ width, height, frameRate = USUAL_RATE, durationSeconds }) =>
    width && height ? [{ width, height, frameRate, durationSeconds }] : [],
  );
  const sounds = pictures.length > 0 ? audio : renditions;
  const own =
    top && ownMp4 ? [{ ...ownMp4, frameRate: top.frameRate ?? USUAL_RATE, durationSeconds: top.durationSeconds }] : [];
  const usd = [
    ...[...pictures, ...own].map((picture) => minutes(picture) * mediaConvert[tierOf(picture)] * factorOf(picture)),
    ...sounds.map((sound) => minutes(sound) * mediaConvert.soundMinute),
  ];
  return usd.reduce((total, each) => total + each, 0);
}

const minutes = ({ durationSeconds }: { durationSeconds: number }) => Math.max(LEAST_SECONDS, durationSeconds) / 60;
const factorOf = ({ frameRate }: { frameRate: number }) => (frameRate > USUAL_RATE + 0.01 ? 2 : 1);

/** SD ends below 1280x720, HD with 1920x1080. */
function tierOf(size: Size): 'sdMinute' | 'hdMinute' | 'uhdMinute' {
  if (shortSide(size) < 720 && longSide(size) < 1280) return 'sdMinute';
  return shortSide(size) <= 1080 && longSide(size) <= 1920 ? 'hdMinute' : 'uhdMinute';
}
