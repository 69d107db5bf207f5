import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSEvent, SQSRecord } from 'aws-lambda';
import { hold, retryIn } from '../../aws/queue.ts';
import { PublishOutputEnv } from '../../core/contracts/env.ts';
import { PublishMessage } from '../../core/contracts/events.ts';
import { tableNamed } from '../shared/clients.ts';
import { environment } from '../shared/environment.ts';
import { lambda } from '../shared/observability.ts';
import { eachMessage } from '../shared/records.ts';
import { growJob } from './grow.ts';
import { publishJob } from './publish.ts';
import { rollBack } from './rollback.ts';

const env = environment(PublishOutputEnv);
const sqs = new SQSClient({});
const services = {
  table: tableNamed(env.TABLE_NAME),
  s3: new S3Client({}),
  sqs,
  mediaBucket: env.MEDIA_BUCKET,
  uploadsBucket: env.UPLOADS_BUCKET,
  publishQueueUrl: env.PUBLISH_QUEUE_URL,
  ingestQueueUrl: env.INGEST_QUEUE_URL,
  graceHours: env.GRACE_HOURS,
};

export const handler = lambda((event: SQSEvent, context: Context) =>
  eachMessage(event, context, {
    schema: PublishMessage,
    async work(message, { receiptHandle }) {
      const stop = hold(sqs, env.PUBLISH_QUEUE_URL, receiptHandle);
      try {
        if (message.grow) await growJob(services, message.jobId);
        else if (message.rollback) await rollBack(services, message.jobId, message.at);
        else await publishJob(services, message, () => context.getRemainingTimeInMillis());
      } finally {
        stop();
      }
    },
    onFailure: retrySoon,
  }),
);

/** The queue's visibility time-out is six times Lambda's longest run: far too long a wait after a transient error. */
async function retrySoon(record: SQSRecord): Promise<void> {
  const seconds = 2 ** Number(record.attributes.ApproximateReceiveCount);
  await retryIn(sqs, env.PUBLISH_QUEUE_URL, record.receiptHandle, Math.min(seconds, 60)).catch(() => {});
}
