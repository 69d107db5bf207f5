import type { Preset } from '../../core/contracts/presets.ts';
import type { Prices } from '../../core/contracts/prices.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { chunkCount, inChunks } from '../../core/media/chunk-count.ts';
import { encodeSeconds } from '../../core/media/estimate.ts';
import { type Cost, type Estimate, LENGTH_UNKNOWN, type Usage } from '../engine.ts';

/** From the job definition: GB of memory for each vCPU. */
const GB_PER_VCPU = 2;

/**
 * Cost of an encode, by the vCPU time that it took, at the on-demand price; Spot is about a third of it. The bill is for
 * the wall time of the vCPUs that the job definition reserves, which the encoders keep busy.
 */
export function priceOf({ vcpuSeconds }: Usage, { fargate }: Prices): Cost {
  const usd = (vcpuSeconds / 3600) * (fargate.vcpuHour + GB_PER_VCPU * fargate.gbHour);
  return { usd: Number(usd.toFixed(6)), vcpuSeconds: Number(vcpuSeconds.toFixed(1)) };
}

/** @param vcpus of a worker, all of which the encoders are expected to keep busy; and how many workers there may be at once */
export function estimate(
  source: SourceInfo,
  preset: Preset,
  prices: Prices,
  { vcpus, workers }: { vcpus: number; workers: number },
): Estimate {
  const whole = encodeSeconds(source, preset, vcpus);
  const { durationSeconds, width } = source;
  if (whole === null || durationSeconds === undefined) return LENGTH_UNKNOWN;
  const usd = (seconds: number) => priceOf({ vcpuSeconds: vcpus * seconds }, prices).usd;
  const count = width === undefined ? 1 : chunkCount(durationSeconds, whole, workers);
  if (count === 1) return { seconds: whole, usd: usd(whole) };
  const { seconds, workerSeconds } = inChunks(durationSeconds, whole, count);
  return { seconds, usd: usd(workerSeconds) };
}
