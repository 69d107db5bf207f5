import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSEvent } from 'aws-lambda';
import { TrackJobEnv } from '../../core/contracts/env.ts';
import { TrackMessage } from '../../core/contracts/events.ts';
import { connectEngines } from '../../engines/registry.ts';
import { tableNamed } from '../shared/clients.ts';
import { environment } from '../shared/environment.ts';
import { lambda } from '../shared/observability.ts';
import { eachMessage } from '../shared/records.ts';
import { track } from './track.ts';

/** Of the calls that submit a job's next part, AWS Batch's has the longest time limit, 20 s. The function has 30 s. */
const LONGEST_MS = 22_000;

const env = environment(TrackJobEnv);
const services = {
  table: tableNamed(env.TABLE_NAME),
  engines: connectEngines(process.env),
  s3: new S3Client({}),
  sqs: new SQSClient({}),
  mediaBucket: env.MEDIA_BUCKET,
  publishQueueUrl: env.PUBLISH_QUEUE_URL,
  ingestQueueUrl: env.INGEST_QUEUE_URL,
};

export const handler = lambda((event: SQSEvent, context: Context) =>
  eachMessage(event, context, {
    schema: TrackMessage,
    work: (message) => track(services, message),
    longestMs: LONGEST_MS,
  }),
);
