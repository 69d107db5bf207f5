import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DROP_PREFIX, POINTER_KEYS, TMP_PREFIX } from '../../core/contracts/keys.ts';
import { allow } from '../parts/allow.ts';
import { HandlerFunction } from '../parts/handler-function.ts';
import { consume, mayConsume } from '../parts/queue-consumer.ts';
import type { Surroundings } from '../parts/surroundings.ts';
import { WorkQueue } from '../parts/work-queue.ts';
import type { Storage } from '../storage/storage.ts';

/** Lambda's longest. 20,000 segments take more; the function then hands the rest to a message of its own. */
const TIMEOUT = Duration.minutes(15);

/** tmp/{jobId} → the versioned folder → the manifest → `ready`. */
export class Publish extends Construct {
  readonly work: WorkQueue;
  readonly publishOutput: HandlerFunction;

  constructor(scope: Construct, id: string, surroundings: Surroundings, { table, uploads, media }: Storage) {
    super(scope, id);
    this.work = new WorkQueue(this, 'Work', TIMEOUT);
    this.publishOutput = new HandlerFunction(this, 'PublishOutput', {
      surroundings,
      handler: 'publish-output',
      timeout: TIMEOUT,
      memorySize: 1024,
      environment: {
        TABLE_NAME: table.tableName,
        UPLOADS_BUCKET: uploads.bucketName,
        MEDIA_BUCKET: media.bucketName,
        PUBLISH_QUEUE_URL: this.work.queue.queueUrl,
        GRACE_HOURS: String(surroundings.configuration.graceHours),
      },
      permissions: [
        mayConsume(this.work.queue),
        allow('sqs', ['SendMessage', 'ChangeMessageVisibility'], this.work.queue.queueArn),
        allow('dynamodb', ['GetItem', 'UpdateItem', 'DeleteItem'], table.tableArn),
        allow('s3', ['GetObject', 'PutObject', 'AbortMultipartUpload'], media.arnForObjects('*')),
        allow('s3', ['ListBucket'], media.bucketArn),
        allow(
          's3',
          ['DeleteObject'],
          [
            media.arnForObjects(`${TMP_PREFIX}*`),
            // A version without an output takes its pointer away.
            ...POINTER_KEYS.map((keys) => media.arnForObjects(keys)),
          ],
        ),
        // The very version that a job was made from, where its collection deletes originals.
        allow('s3', ['DeleteObjectVersion'], uploads.arnForObjects(`${DROP_PREFIX}*`)),
      ],
    });
    consume(this.publishOutput, this.work.queue, 1);
  }
}
