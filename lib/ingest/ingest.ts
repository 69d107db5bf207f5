import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { ARCHIVE_PREFIX, DROP_PREFIX } from '../../core/contracts/keys.ts';
import { PARTITIONS } from '../../core/contracts/table/keys.ts';
import { usableScratch } from '../configuration.ts';
import type { Engines } from '../engines/engines.ts';
import { allow, allowListing, allowRows } from '../parts/allow.ts';
import { capVariable } from '../parts/cap.ts';
import { HandlerFunction } from '../parts/handler-function.ts';
import { consume, mayConsume } from '../parts/queue-consumer.ts';
import { routeEvents } from '../parts/route-events.ts';
import type { StageProps } from '../parts/stage-props.ts';
import { WorkQueue } from '../parts/work-queue.ts';
import type { Storage } from '../storage/storage.ts';

/** One upload: its container is parsed for at most 5 s. */
const TIMEOUT = Duration.minutes(1);

/** drop/… → EventBridge → queue → ingest-upload → the engine. */
export class Ingest extends Construct {
  readonly work: WorkQueue;
  readonly ingestUpload: HandlerFunction;

  constructor(scope: Construct, id: string, stageProps: StageProps, stages: { storage: Storage; engines: Engines }) {
    super(scope, id);
    const { table, uploads, media } = stages.storage;
    this.work = new WorkQueue(this, 'Work', TIMEOUT);
    this.ingestUpload = new HandlerFunction(this, 'IngestUpload', {
      stageProps,
      handler: 'ingest-upload',
      timeout: TIMEOUT,
      memorySize: 1024,
      environment: {
        ...stages.engines.environment,
        TABLE_NAME: table.tableName,
        MEDIA_BUCKET: media.bucketName,
        MAX_UPLOAD_BYTES: String(stageProps.configuration.maxUploadBytes),
        SCRATCH_BYTES: String(usableScratch(stageProps.configuration)),
        MAX_UPLOADS_PER_DAY: String(stageProps.configuration.maxUploadsPerDay),
        MAX_MINUTES_PER_DAY: String(stageProps.configuration.maxMinutesPerDay),
        ...capVariable(stageProps.configuration),
      },
      permissions: [
        mayConsume(this.work.queue),
        ...stages.engines.permissionsOf('ingest-upload'),
        allowRows(table, ['GetItem', 'PutItem', 'UpdateItem'], [PARTITIONS.media, PARTITIONS.creator]),
        allowRows(table, ['GetItem', 'UpdateItem', 'DeleteItem'], [PARTITIONS.engines]),
        allowRows(table, ['GetItem', 'UpdateItem'], [PARTITIONS.badKeys]),
        allow('s3', ['GetObject', 'GetObjectVersion'], uploads.arnForObjects(`${DROP_PREFIX}*`)),
        allowListing(uploads, DROP_PREFIX),
      ],
    });
    stages.engines.connect('ingest-upload', this.ingestUpload);
    // One message per call, so that no file can delay others that arrived with it, or use up their receives.
    consume(this.ingestUpload, this.work.queue, {
      batchSize: 1,
      maxConcurrency: stageProps.configuration.concurrency.ingest,
    });
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
    routeEvents(
      this,
      'ObjectMoved',
      {
        source: ['aws.s3'],
        detailType: ['Object Restore Completed', 'Object Storage Class Changed'],
        detail: {
          bucket: { name: [uploads.bucketName] },
          object: { key: [{ prefix: DROP_PREFIX }, { prefix: ARCHIVE_PREFIX }] },
        },
      },
      this.work,
    );
  }
}
