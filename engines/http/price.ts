import type { Preset } from '../../core/contracts/presets.ts';
import { RUNPOD_WORKER_SECOND } from '../../core/contracts/prices.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { encodeSeconds } from '../../core/media/estimate.ts';
import { type Cost, type Estimate, LENGTH_UNKNOWN, type Usage } from '../engine.ts';

/** Of the worker that the estimates are for; one with a GPU has at least as many. Without USE_GPU its GPU is idle. */
export const VCPUS = 4;

/**
 * By the seconds for which the worker had the job, all its attempts and its wait for another machine among them. The start of a worker and its
 * idle tail are billed too, and are not known here.
 */
export function priceOf({ vcpuSeconds, result }: Usage): Cost {
  const seconds = result?.usage.wallSeconds ?? vcpuSeconds;
  return { usd: usdOf(seconds), vcpuSeconds: Number(vcpuSeconds.toFixed(1)) };
}

export function estimate(source: SourceInfo, preset: Preset): Estimate {
  const seconds = encodeSeconds(source, preset, VCPUS);
  return seconds === null ? LENGTH_UNKNOWN : { seconds, usd: usdOf(seconds) };
}

function usdOf(seconds: number): number {
  return Number((seconds * RUNPOD_WORKER_SECOND).toFixed(6));
}
