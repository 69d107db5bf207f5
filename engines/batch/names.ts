import { z } from 'zod';

/** What the construct of this engine, lib/engines/batch, and its code agree on. */

const Name = z.string().min(1);

/** Variables of every function that is connected with the engine. */
export const BatchEnv = z.object({
  JOB_QUEUE: Name,
  RETRANSCODE_JOB_QUEUE: Name,
  /** Queue of jobs that AWS may not reclaim. */
  ON_DEMAND_JOB_QUEUE: Name,
  JOB_DEFINITION: Name,
  /** vCPUs of a worker. */
  JOB_VCPUS: z.coerce.number().positive(),
  /** ARNs, separated by spaces: an invalid one is reported. */
  COMPUTE_ENVIRONMENTS: Name.transform((text) => text.split(' ')),
  /** How many workers there may be at once: no more chunks are made of a film. */
  MAX_WORKERS: z.coerce.number().int().positive(),
  /** Bucket in which the worker that cuts a film leaves the number of its chunks. */
  JOB_BUCKET: Name,
});
export type BatchEnv = z.infer<typeof BatchEnv>;

/** The same of the engine with GPUs, whose worker's vCPUs are not configured. */
export const BatchGpuEnv = z.object({
  GPU_JOB_QUEUE: BatchEnv.shape.JOB_QUEUE,
  GPU_RETRANSCODE_JOB_QUEUE: BatchEnv.shape.RETRANSCODE_JOB_QUEUE,
  GPU_ON_DEMAND_JOB_QUEUE: BatchEnv.shape.ON_DEMAND_JOB_QUEUE,
  GPU_JOB_DEFINITION: BatchEnv.shape.JOB_DEFINITION,
  GPU_COMPUTE_ENVIRONMENTS: BatchEnv.shape.COMPUTE_ENVIRONMENTS,
  GPU_MAX_WORKERS: BatchEnv.shape.MAX_WORKERS,
  JOB_BUCKET: BatchEnv.shape.JOB_BUCKET,
});
export type BatchGpuEnv = z.infer<typeof BatchGpuEnv>;

/** What is needed to have copies made for the archive, by workers of the same definition. */
export const ArchiveEnv = BatchEnv.pick({ JOB_DEFINITION: true, JOB_VCPUS: true }).extend({
  /** Of jobs that give way to all others. */
  ARCHIVE_JOB_QUEUE: Name,
  /** How many of them may be under way at once. */
  MAX_ARCHIVES: z.coerce.number().int().positive(),
});
export type ArchiveEnv = z.infer<typeof ArchiveEnv>;

/** The events of AWS Batch that `read` reads, by their source and detail-types on EventBridge. */
export const BATCH_EVENTS = {
  source: 'aws.batch',
  jobChanged: 'Batch Job State Change',
  queueBlocked: 'Batch Job Queue Blocked',
} as const;
