import type { Job } from '../../core/contracts/job.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { encodeSeconds } from '../../core/media/estimate.ts';
import { VCPUS } from './price.ts';

/** The longest of either limit: 7 days. https://docs.runpod.io/serverless/endpoints/send-requests */
const MOST_SECONDS = 7 * 86_400;
/** For the start of a worker, small files, and whatever the estimate leaves out: no job has a lower limit. */
export const LEAST_SECONDS = 30 * 60;
/** How wrong the estimate may be. */
const MARGIN = 4;
/** Bytes per second of a slow connection, for the source and about as much output. */
const BYTES_PER_SECOND = 2e6;
/** Bits per second of a source whose length is unknown: lower than usual, so that the length is over-estimated. */
const LEAST_BIT_RATE = 500_000;
/** Of a source of which not even the codecs are known. */
const USUAL_PICTURE = { width: 1920, height: 1080 };
/** How long a job may wait for a worker. */
const QUEUE_SECONDS = 86_400;

/**
 * The endpoint's limits for one job, in milliseconds. `ttl` counts from the submission and ends a job that runs: it covers the wait
 * and the run.
 */
export function policyFor({ source, preset }: Job, info: SourceInfo): { executionTimeout: number; ttl: number } {
  const durationSeconds = info.durationSeconds ?? (source.size * 8) / LEAST_BIT_RATE;
  const assumed = info.audioCodec === undefined ? USUAL_PICTURE : {};
  const encode = encodeSeconds({ ...assumed, ...info, durationSeconds }, preset, VCPUS) ?? 0;
  const transfer = (2 * source.size) / BYTES_PER_SECOND;
  const seconds = Math.min(MOST_SECONDS, Math.ceil(LEAST_SECONDS + transfer + MARGIN * encode));
  const ttl = Math.min(MOST_SECONDS, seconds + QUEUE_SECONDS);
  return { executionTimeout: seconds * 1000, ttl: ttl * 1000 };
}
