import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DROP_PREFIX, POINTER_KEYS, PUBLISHED_KEYS, TMP_PREFIX } from '../../core/contracts/keys.ts';
import { PARTITIONS } from '../../core/contracts/table/keys.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { allow, allowRows } from '../parts/allow.ts';
import { HandlerFunction } from '../parts/handler-function.ts';
import { consume, mayConsume } from '../parts/queue-consumer.ts';
import type { StageProps } from '../parts/stage-props.ts';
import { WorkQueue } from '../parts/work-queue.ts';
import type { Storage } from '../storage/storage.ts';

/** Lambda's longest. Copies of many GiB may take more; the function then continues with a message to itself. */
const TIMEOUT = Duration.minutes(15);

/** tmp/{jobId} → the versioned folder → the manifest → `ready`. */
export class Publish extends Construct {
  readonly work: WorkQueue;
  readonly publishOutput: HandlerFunction;

  constructor(scope: Construct, id: string, stageProps: StageProps, stages: { storage: Storage; ingest: Ingest }) {
    super(scope, id);
    const { table, uploads, media } = stages.storage;
    const { queue: ingestQueue } = stages.ingest.work;
    const objects = (keys: string) => media.arnForObjects(keys);
    this.work = new WorkQueue(this, 'Work', TIMEOUT);
    this.publishOutput = new HandlerFunction(this, 'PublishOutput', {
      stageProps,
      handler: 'publish-output',
      timeout: TIMEOUT,
      memorySize: 1024,
      sendsToItself: true,
      environment: {
        TABLE_NAME: table.tableName,
        UPLOADS_BUCKET: uploads.bucketName,
        MEDIA_BUCKET: media.bucketName,
        PUBLISH_QUEUE_URL: this.work.queue.queueUrl,
        INGEST_QUEUE_URL: ingestQueue.queueUrl,
        GRACE_HOURS: String(stageProps.configuration.graceHours),
      },
      permissions: [
        mayConsume(this.work.queue),
        allow('sqs', ['SendMessage', 'ChangeMessageVisibility'], this.work.queue.queueArn),
        allow('sqs', ['SendMessage'], ingestQueue.queueArn),
        allowRows(table, ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem'], [PARTITIONS.media, PARTITIONS.creator]),
        allow('s3', ['GetObject'], [`${TMP_PREFIX}*`, ...PUBLISHED_KEYS].map(objects)),
        allow('s3', ['PutObject', 'AbortMultipartUpload'], PUBLISHED_KEYS.map(objects)),
        allow('s3', ['ListBucket'], media.bucketArn),
        allow(
          's3',
          ['DeleteObject'],
          // A version without an output removes that output's pointer.
          [`${TMP_PREFIX}*`, ...POINTER_KEYS].map(objects),
        ),
        // The very version that a job was made from, where its collection deletes originals.
        allow('s3', ['DeleteObjectVersion'], uploads.arnForObjects(`${DROP_PREFIX}*`)),
      ],
    });
    consume(this.publishOutput, this.work.queue, {
      batchSize: 1,
      maxConcurrency: stageProps.configuration.concurrency.publish,
    });
  }
}
