import { Duration, Validations } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DROP_PREFIX } from '../../core/contracts/keys.ts';
import type { Encode } from '../encode/encode.ts';
import { allow, allowListing } from '../parts/allow.ts';
import { HandlerFunction } from '../parts/handler-function.ts';
import { consume, mayConsume } from '../parts/queue-consumer.ts';
import { routeEvents } from '../parts/route-events.ts';
import type { Surroundings } from '../parts/surroundings.ts';
import { WorkQueue } from '../parts/work-queue.ts';
import type { Storage } from '../storage/storage.ts';

/** Ten uploads in a batch, each probed with at most 2 MB of reads. */
const TIMEOUT = Duration.minutes(1);

/** drop/… → EventBridge → queue → ingest-upload → the engine. */
export class Ingest extends Construct {
  readonly work: WorkQueue;
  readonly ingestUpload: HandlerFunction;

  constructor(scope: Construct, id: string, surroundings: Surroundings, stages: { storage: Storage; encode: Encode }) {
    super(scope, id);
    const { table, uploads, media } = stages.storage;
    this.work = new WorkQueue(this, 'Work', TIMEOUT);
    this.ingestUpload = new HandlerFunction(this, 'IngestUpload', {
      surroundings,
      handler: 'ingest-upload',
      timeout: TIMEOUT,
      memorySize: 1024,
      environment: {
        ...stages.encode.environment,
        TABLE_NAME: table.tableName,
        UPLOADS_BUCKET: uploads.bucketName,
        MEDIA_BUCKET: media.bucketName,
        MAX_UPLOAD_BYTES: String(surroundings.configuration.maxUploadBytes),
      },
      permissions: [
        mayConsume(this.work.queue),
        stages.encode.maySubmit(),
        // A job that may have been submitted before is looked for by its name; Batch knows no resource for that.
        allow('batch', ['ListJobs'], '*'),
        allow('dynamodb', ['GetItem', 'PutItem', 'UpdateItem'], table.tableArn),
        allow('s3', ['GetObject', 'GetObjectVersion'], uploads.arnForObjects(`${DROP_PREFIX}*`)),
        allowListing(uploads, DROP_PREFIX),
      ],
    });
    Validations.of(this.ingestUpload.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'batch:ListJobs takes no resource',
    });
    consume(this.ingestUpload, this.work.queue, 10);
    routeEvents(
      this,
      'ObjectCreated',
      {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [uploads.bucketName] }, object: { key: [{ prefix: DROP_PREFIX }] } },
      },
      this.work,
    );
  }
}
