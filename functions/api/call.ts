import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { z } from 'zod';
import type { PlaybackKey } from '../../aws/playback-key.ts';
import type { Table } from '../../aws/table.ts';
import type { Caller } from '../../core/api/caller.ts';
import type { OPERATIONS, OperationId } from '../../core/api/operations.ts';
import type { ViewSettings } from '../../core/api/views.ts';
import type { ApiEnv } from '../../core/contracts/env.ts';
import type { Job } from '../../core/contracts/job.ts';
import type { Engines } from '../../engines/registry.ts';

/** What a route works with. */
export interface ApiServices {
  env: z.infer<typeof ApiEnv>;
  table: Table;
  s3: S3Client;
  sqs: SQSClient;
  cloudwatch: CloudWatchClient;
  engines: Engines;
  /** A client with no more than one job may do; absent without an engine that needs it. */
  workerS3?: ((job: Job) => Promise<S3Client>) | undefined;
  /** Absent where the configuration names no key. */
  playbackKey?: (() => Promise<PlaybackKey>) | undefined;
}

type Parsed<T> = T extends z.ZodType ? z.output<T> : null;

/** One request, its parts parsed with the operation's schemas. */
export interface ApiCall<K extends OperationId> {
  caller: Caller;
  params: Parsed<(typeof OPERATIONS)[K]['params']>;
  query: Parsed<(typeof OPERATIONS)[K]['query']>;
  body: Parsed<(typeof OPERATIONS)[K]['body']>;
  /** The body as received, for signatures. */
  rawBody: string;
  headers: Headers;
  /** ISO 8601, the same throughout the request. */
  now: string;
  requestId: string;
}

export interface ApiAnswer<K extends OperationId> {
  body: (typeof OPERATIONS)[K]['answer'] extends z.ZodType ? z.input<(typeof OPERATIONS)[K]['answer']> : null;
  headers?: Record<string, string>;
  cookies?: string[];
}

export type Route<K extends OperationId> = (call: ApiCall<K>, services: ApiServices) => Promise<ApiAnswer<K>>;
export type Routes<K extends OperationId = OperationId> = { [Id in K]: Route<Id> };

export function viewSettings(call: { now: string }, { env }: ApiServices): ViewSettings {
  return { deliveryUrl: env.DELIVERY_URL.replace(/\/$/, ''), maxAttempts: env.MAX_ATTEMPTS, now: call.now };
}
