import type { S3Client } from '@aws-sdk/client-s3';
import type { Tools } from './ffmpeg/run.ts';
import type { Progress } from './progress.ts';

/** What a worker works with. */
export interface WorkerContext {
  s3: S3Client;
  tools: Tools;
  /** Whether a GPU is to be used, if there is one. */
  gpu: boolean;
  engineJobId: string;
  /** Of a worker of an array job: its number, from 0. */
  arrayIndex?: number | undefined;
  /** Length of the chunks of every film; absent: they follow their rule. */
  chunkSeconds?: number | undefined;
  scratchDirectory: string;
  progress: Progress;
  /** Aborted with a Drained when the engine stops the worker. */
  signal: AbortSignal;
}
