import { BatchClient } from '@aws-sdk/client-batch';
import type { Preset } from '../../core/contracts/presets.ts';
import type { Prices } from '../../core/contracts/prices.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { encodeSeconds } from '../../core/media/estimate.ts';
import { type Cost, type Engine, type Estimate, engineKind, LENGTH_UNKNOWN, type Usage } from '../engine.ts';
import { submittingClient } from './client.ts';
import { connectBatch } from './engine.ts';
import { BatchGpuEnv } from './names.ts';

/** Of each type of instance: a worker has one for itself. */
const VCPUS = 4;
/**
 * How many times as fast as libx264 on these vCPUs a worker with a GPU is, before anything is learnt from finished jobs: the CPU still decodes
 * in part, scales, and reads back. A guess; no GPU was at hand.
 */
const SPEED_UP = 2;

/** `batch-gpu`: the worker's container on AWS Batch, on EC2 instances with a GPU. */
export const batchGpu = engineKind({
  environment: BatchGpuEnv,
  priceOf,
  connect: (env) => connectBatchGpu(env, { submitting: submittingClient(), others: new BatchClient({}) }),
});

export function connectBatchGpu(env: BatchGpuEnv, clients: Parameters<typeof connectBatch>[1]): Engine {
  const batch = connectBatch(
    {
      JOB_QUEUE: env.GPU_JOB_QUEUE,
      RETRANSCODE_JOB_QUEUE: env.GPU_RETRANSCODE_JOB_QUEUE,
      ON_DEMAND_JOB_QUEUE: env.GPU_ON_DEMAND_JOB_QUEUE,
      JOB_DEFINITION: env.GPU_JOB_DEFINITION,
      JOB_VCPUS: VCPUS * SPEED_UP,
      COMPUTE_ENVIRONMENTS: env.GPU_COMPUTE_ENVIRONMENTS,
    },
    clients,
  );
  return { ...batch, title: 'AWS Batch with GPUs', estimate };
}

/**
 * By the time of the worker, on demand, on the dearest of the types: which of them AWS Batch took is not known. The boot of an instance and
 * its idle time are billed too, and are not known here.
 */
function priceOf({ vcpuSeconds, result }: Usage, prices: Prices): Cost {
  const others = vcpuSeconds - (result?.usage.cpuSeconds ?? 0);
  const seconds = (result?.usage.wallSeconds ?? 0) + Math.max(0, others) / VCPUS;
  return { usd: usdOf(seconds, prices), vcpuSeconds: Number(vcpuSeconds.toFixed(1)) };
}

export function estimate(source: SourceInfo, preset: Preset, prices: Prices): Estimate {
  // Sound is not the GPU's.
  const seconds = encodeSeconds(source, preset, source.width === undefined ? VCPUS : VCPUS * SPEED_UP);
  return seconds === null ? LENGTH_UNKNOWN : { seconds, usd: usdOf(seconds, prices) };
}

function usdOf(seconds: number, { gpu }: Prices): number {
  return Number(((seconds / 3600) * Math.max(...Object.values(gpu.hours))).toFixed(6));
}
