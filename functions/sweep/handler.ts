import { BatchClient } from '@aws-sdk/client-batch';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context } from 'aws-lambda';
import { SweepEnv } from '../../core/contracts/env.ts';
import { SweepInput } from '../../core/contracts/events.ts';
import { tableNamed } from '../shared/clients.ts';
import { environment } from '../shared/environment.ts';
import { lambda } from '../shared/stack.ts';
import { engineFrom } from '../shared/submit-job.ts';
import type { SweepReport } from './services.ts';
import { sweep } from './sweep.ts';

const env = environment(SweepEnv);
const table = tableNamed(env.TABLE_NAME);
const batch = new BatchClient({});
const services = {
  table,
  batch,
  s3: new S3Client({}),
  sqs: new SQSClient({}),
  engine: engineFrom(table, batch, env),
  mediaBucket: env.MEDIA_BUCKET,
  uploadsBucket: env.UPLOADS_BUCKET,
  ingestQueueUrl: env.INGEST_QUEUE_URL,
  publishQueueUrl: env.PUBLISH_QUEUE_URL,
  maxRetranscodes: env.MAX_RETRANSCODES,
};

/** What is under way ends within this; the run's report is written in it too. */
const RESERVE_MS = 20_000;

export const handler = lambda(async (event: unknown, context: Context): Promise<SweepReport> => {
  const { time } = SweepInput.catch({}).parse(event);
  // A schedule that runs late must not find what fell due meanwhile undue.
  const now = new Date(Math.max(Date.now(), time ? Date.parse(time) : 0)).toISOString();
  return sweep(services, now, () => context.getRemainingTimeInMillis() < RESERVE_MS);
});
