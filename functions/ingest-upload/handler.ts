import { BatchClient } from '@aws-sdk/client-batch';
import { S3Client } from '@aws-sdk/client-s3';
import type { Context, SQSEvent } from 'aws-lambda';
import { IngestUploadEnv } from '../../core/contracts/env.ts';
import { ObjectCreated } from '../../core/contracts/events.ts';
import { tableNamed } from '../shared/clients.ts';
import { environment } from '../shared/environment.ts';
import { eachMessage } from '../shared/records.ts';
import { lambda } from '../shared/stack.ts';
import { engineFrom } from '../shared/submit-job.ts';
import { ingest } from './ingest.ts';

const env = environment(IngestUploadEnv);
const table = tableNamed(env.TABLE_NAME);
const services = {
  table,
  s3: new S3Client({}),
  engine: engineFrom(table, new BatchClient({}), env),
  maxUploadBytes: env.MAX_UPLOAD_BYTES,
};

/** A file can hold a parser up for ever, and nothing in this process can end that. Twice is no accident: then ffprobe is to see. */
const PROBED_RECEIVES = 2;

export const handler = lambda((event: SQSEvent, context: Context) =>
  eachMessage(event, context, ObjectCreated, (message, record) =>
    ingest(services, message.detail, Number(record.attributes.ApproximateReceiveCount) <= PROBED_RECEIVES),
  ),
);
