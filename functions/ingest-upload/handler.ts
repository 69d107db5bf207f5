import { fileURLToPath } from 'node:url';
import { S3Client } from '@aws-sdk/client-s3';
import type { Context, SQSEvent } from 'aws-lambda';
import { IngestUploadEnv } from '../../core/contracts/env.ts';
import { ObjectCreated, ObjectMoved } from '../../core/contracts/events.ts';
import { connectEngines } from '../../engines/registry.ts';
import { tableNamed } from '../shared/clients.ts';
import { environment } from '../shared/environment.ts';
import { lambda } from '../shared/observability.ts';
import { eachMessage } from '../shared/records.ts';
import { carryOnWith } from './carry-on-with.ts';
import { ingest } from './ingest.ts';

const env = environment(IngestUploadEnv);
const table = tableNamed(env.TABLE_NAME);
const services = {
  table,
  s3: new S3Client({}),
  engines: connectEngines(process.env),
  mediaBucket: env.MEDIA_BUCKET,
  maxUsdPerMonth: env.MAX_USD_PER_MONTH,
  maxUploadBytes: env.MAX_UPLOAD_BYTES,
  scratchBytes: env.SCRATCH_BYTES,
  quotas: { uploadsPerDay: env.MAX_UPLOADS_PER_DAY, minutesPerDay: env.MAX_MINUTES_PER_DAY },
};
const parser = fileURLToPath(new URL('./probe.child.mjs', import.meta.url));

/** The parser's process may still take down the function, by memory outside of its heap. After two receives the file is left to ffprobe. */
const PARSED_RECEIVES = 2;

export const handler = lambda((event: SQSEvent, context: Context) =>
  eachMessage(event, context, {
    schema: ObjectCreated.or(ObjectMoved),
    work(message, record) {
      if (message['detail-type'] !== 'Object Created') return carryOnWith(services, message.detail);
      const mayParse = Number(record.attributes.ApproximateReceiveCount) <= PARSED_RECEIVES;
      return ingest({ ...services, parser: mayParse ? parser : undefined }, message.detail, message.time);
    },
  }),
);
