import type { Preset } from '../../core/contracts/presets.ts';
import type { Prices } from '../../core/contracts/prices.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { chunkCount, FARGATE, inChunks, type Workers } from '../../core/media/chunk-count.ts';
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

/**
 * What an encode by as many workers as it is worth takes, as `inChunks` has it; null where the length of the source is unknown.
 * @param vcpus of a worker, all of which the encoders are expected to keep busy
 */
export function bySeveral(
  source: SourceInfo,
  preset: Preset,
  { vcpus, ...workers }: { vcpus: number } & Workers,
): { seconds: number; workerSeconds: number } | null {
  const whole = encodeSeconds(source, preset, vcpus);
  const { durationSeconds, width } = source;
  if (whole === null || durationSeconds === undefined) return null;
  const count = width === undefined ? 1 : chunkCount(durationSeconds, whole, workers);
  return inChunks(durationSeconds, whole, count, workers.starts);
}

export function estimate(
  source: SourceInfo,
  preset: Preset,
  prices: Prices,
  { vcpus, ...workers }: { vcpus: number } & Omit<Workers, 'starts'>,
): Estimate {
  const of = bySeveral(source, preset, { vcpus, starts: FARGATE, ...workers });
  if (of === null) return LENGTH_UNKNOWN;
  return { seconds: of.seconds, usd: priceOf({ vcpuSeconds: vcpus * of.workerSeconds }, prices).usd };
}
