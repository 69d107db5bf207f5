import type { Cost, Usage } from '../engine.ts';

/**
 * USD per second of a flexible worker with a GPU of 24 GB (L4, A5000, 3090), August 2026: https://docs.runpod.io/serverless/pricing
 * Another GPU, or another provider, has another price.
 */
const WORKER_SECOND = 0.00019;

/** By the seconds of the worker. The start of a worker and its idle tail are billed too, and are not known here. */
export function priceOf({ vcpuSeconds, result }: Usage): Cost {
  const seconds = result?.usage.wallSeconds ?? vcpuSeconds;
  return { usd: Number((seconds * WORKER_SECOND).toFixed(6)), vcpuSeconds: Number(vcpuSeconds.toFixed(1)) };
}
