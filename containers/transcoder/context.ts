import type { S3Client } from '@aws-sdk/client-s3';
import type { Drained } from './failures.ts';
import type { Tools } from './ffmpeg/run.ts';
import type { Progress } from './progress.ts';

/** What a worker works with. */
export interface WorkerContext {
  s3: S3Client;
  tools: Tools;
  /** Whether a GPU is to be used, if there is one. */
  gpu: boolean;
  engineJobId: string;
  /**
   * The machine, where the engine may give its job to several at once; absent: it does not.
   * @property leaseMs how long a claim holds that is not renewed
   * @property onLost called when another machine may have the job from then on: nothing is to be written
   */
  machine?: { id: string; leaseMs: number; onLost: (why: Drained) => void } | undefined;
  /** Of a worker of an array job: its number, from 0. */
  arrayIndex?: number | undefined;
  /** Length of the chunks of every film; absent: they follow their rule. */
  chunkSeconds?: number | undefined;
  scratchDirectory: string;
  /** `performance.now()` when the machine was given the job, where it is paid from then on; absent: from the attempt on. */
  paidSince?: number | undefined;
  progress: Progress;
  /** Aborted with a Drained when the engine stops the worker, or another machine has its job. */
  signal: AbortSignal;
}
