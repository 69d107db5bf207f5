import type { Preset } from '../../core/contracts/presets.ts';
import type { Prices } from '../../core/contracts/prices.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import type { Starts, Workers } from '../../core/media/chunk-count.ts';
import { type Cost, type Engine, type Estimate, engineKind, LENGTH_UNKNOWN, type Usage } from '../engine.ts';
import { connectFilms, filmClients } from './films.ts';
import { BatchGpuEnv } from './names.ts';
import { bySeveral } from './price.ts';

/** Of each type of instance: a worker has one for itself. */
const VCPUS = 4;
/**
 * How many times as fast as libx264 on these vCPUs a worker with a GPU is, before anything is learnt from finished jobs: the CPU still decodes
 * in part, scales, and reads back. A guess; no GPU was at hand.
 */
const SPEED_UP = 2;

/**
 * An instance is billed from its boot on, and for a minute at least (https://aws.amazon.com/ec2/pricing/on-demand/). A guess: it boots, joins and
 * pulls the image in three minutes, and AWS Batch begins it within one. One that is there from the job before costs none of that.
 */
const STARTS: Starts = { paid: 180, waits: 240, least: 60 };

/** `batch-gpu`: the worker's container on AWS Batch, on EC2 instances with a GPU. */
export const batchGpu = engineKind({
  environment: BatchGpuEnv,
  priceOf,
  connect: (env) => connectBatchGpu(env, filmClients()),
});

export function connectBatchGpu(env: BatchGpuEnv, clients: Parameters<typeof connectFilms>[1]): Engine {
  const workers = env.GPU_MAX_WORKERS;
  const films = connectFilms(
    {
      JOB_QUEUE: env.GPU_JOB_QUEUE,
      RETRANSCODE_JOB_QUEUE: env.GPU_RETRANSCODE_JOB_QUEUE,
      ON_DEMAND_JOB_QUEUE: env.GPU_ON_DEMAND_JOB_QUEUE,
      JOB_DEFINITION: env.GPU_JOB_DEFINITION,
      JOB_VCPUS: VCPUS * SPEED_UP,
      COMPUTE_ENVIRONMENTS: env.GPU_COMPUTE_ENVIRONMENTS,
      MAX_WORKERS: workers,
      JOB_BUCKET: env.JOB_BUCKET,
    },
    clients,
    STARTS,
  );
  return {
    ...films,
    title: 'AWS Batch with GPUs',
    estimate: (source, preset, prices, deadlineSeconds) =>
      estimate(source, preset, prices, { workers, deadlineSeconds }),
  };
}

/**
 * By the time of the workers, on demand, on the dearest of the types: which of them AWS Batch took is not known. The boot of an instance and
 * its idle time are billed too, and are not known here.
 */
function priceOf({ vcpuSeconds, result }: Usage, prices: Prices): Cost {
  const { cpuSeconds = 0, wallSeconds = 0, besideSeconds = 0 } = result?.usage ?? {};
  const seconds = wallSeconds + besideSeconds + Math.max(0, vcpuSeconds - cpuSeconds) / VCPUS;
  return { usd: usdOf(seconds, prices), vcpuSeconds: Number(vcpuSeconds.toFixed(1)) };
}

export function estimate(
  source: SourceInfo,
  preset: Preset,
  prices: Prices,
  workers: Omit<Workers, 'starts'>,
): Estimate {
  // Sound is not the GPU's.
  const vcpus = source.width === undefined ? VCPUS : VCPUS * SPEED_UP;
  const of = bySeveral(source, preset, { vcpus, starts: STARTS, ...workers });
  return of === null ? LENGTH_UNKNOWN : { seconds: of.seconds, usd: usdOf(of.workerSeconds, prices) };
}

function usdOf(seconds: number, { gpu }: Prices): number {
  return Number(((seconds / 3600) * Math.max(...Object.values(gpu.hours))).toFixed(6));
}
