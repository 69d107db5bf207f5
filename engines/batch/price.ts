import type { Preset } from '../../core/contracts/presets.ts';
import type { Prices } from '../../core/contracts/prices.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
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

/** @param vcpus of a worker, all of which the encoders are expected to keep busy */
export function estimate(source: SourceInfo, preset: Preset, prices: Prices, vcpus: number): Estimate {
  const seconds = encodeSeconds(source, preset, vcpus);
  if (seconds === null) return LENGTH_UNKNOWN;
  return { seconds, usd: priceOf({ vcpuSeconds: vcpus * seconds }, prices).usd };
}
