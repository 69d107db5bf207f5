import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DETAIL, SOURCE } from '../../core/contracts/events.ts';
import { CLAIM_FILE, RESULT_FILE, TMP_PREFIX } from '../../core/contracts/keys.ts';
import { PARTITIONS } from '../../core/contracts/table/keys.ts';
import type { Engines } from '../engines/engines.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { allow, allowListing, allowRows } from '../parts/allow.ts';
import { HandlerFunction } from '../parts/handler-function.ts';
import { consume, mayConsume } from '../parts/queue-consumer.ts';
import { routeEvents } from '../parts/route-events.ts';
import type { StageProps } from '../parts/stage-props.ts';
import { WorkQueue } from '../parts/work-queue.ts';
import type { Publish } from '../publish/publish.ts';
import type { Storage } from '../storage/storage.ts';

const TIMEOUT = Duration.seconds(30);

/** Reports of engines and workers → rows, and the publish queue when a job succeeded. */
export class Track extends Construct {
  readonly work: WorkQueue;
  readonly trackJob: HandlerFunction;

  constructor(
    scope: Construct,
    id: string,
    stageProps: StageProps,
    stages: { storage: Storage; engines: Engines; ingest: Ingest; publish: Publish },
  ) {
    super(scope, id);
    const { storage, engines, ingest, publish } = stages;
    const { table, media, bus } = storage;
    this.work = new WorkQueue(this, 'Work', TIMEOUT);
    this.trackJob = new HandlerFunction(this, 'TrackJob', {
      stageProps,
      handler: 'track-job',
      timeout: TIMEOUT,
      memorySize: 512,
      environment: {
        ...engines.environment,
        TABLE_NAME: table.tableName,
        MEDIA_BUCKET: media.bucketName,
        PUBLISH_QUEUE_URL: publish.work.queue.queueUrl,
        INGEST_QUEUE_URL: ingest.work.queue.queueUrl,
      },
      permissions: [
        mayConsume(this.work.queue),
        allow('sqs', ['SendMessage'], [publish.work.queue.queueArn, ingest.work.queue.queueArn]),
        allowRows(table, ['GetItem', 'PutItem', 'UpdateItem'], [PARTITIONS.media, PARTITIONS.creator]),
        allow(
          's3',
          ['GetObject'],
          [RESULT_FILE, CLAIM_FILE].map((file) => media.arnForObjects(`${TMP_PREFIX}*/${file}`)),
        ),
        allowListing(media, TMP_PREFIX),
        // To cancel a job that is over.
        ...engines.permissionsOf('track-job'),
      ],
    });
    engines.connect('track-job', this.trackJob);
    consume(this.trackJob, this.work.queue, {
      batchSize: 10,
      maxConcurrency: stageProps.configuration.concurrency.track,
    });
    for (const [id, pattern] of engines.events) routeEvents(this, id, pattern, this.work);
    routeEvents(this, 'JobProgress', { source: [SOURCE.worker], detailType: [DETAIL.progress] }, this.work, bus);
  }
}
