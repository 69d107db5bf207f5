import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { DETAIL, SOURCE } from '../../core/contracts/events.ts';
import { CLAIM_FILE, RESULT_FILE, TMP_PREFIX } from '../../core/contracts/keys.ts';
import { allow, allowListing } from '../parts/allow.ts';
import { HandlerFunction } from '../parts/handler-function.ts';
import { consume, mayConsume } from '../parts/queue-consumer.ts';
import { routeEvents } from '../parts/route-events.ts';
import type { Surroundings } from '../parts/surroundings.ts';
import { WorkQueue } from '../parts/work-queue.ts';
import type { Publish } from '../publish/publish.ts';
import type { Storage } from '../storage/storage.ts';
import type { Encode } from './encode.ts';

const TIMEOUT = Duration.seconds(30);

/** The engine's state changes and the worker's progress → rows, and the publish queue when a job succeeded. */
export class Track extends Construct {
  readonly work: WorkQueue;
  readonly trackJob: HandlerFunction;

  constructor(
    scope: Construct,
    id: string,
    surroundings: Surroundings,
    stages: { storage: Storage; encode: Encode; publish: Publish },
  ) {
    super(scope, id);
    const { storage, encode, publish } = stages;
    const { table, media, bus } = storage;
    this.work = new WorkQueue(this, 'Work', TIMEOUT);
    this.trackJob = new HandlerFunction(this, 'TrackJob', {
      surroundings,
      handler: 'track-job',
      timeout: TIMEOUT,
      memorySize: 512,
      environment: {
        TABLE_NAME: table.tableName,
        MEDIA_BUCKET: media.bucketName,
        PUBLISH_QUEUE_URL: publish.work.queue.queueUrl,
      },
      permissions: [
        mayConsume(this.work.queue),
        allow('sqs', ['SendMessage'], publish.work.queue.queueArn),
        allow('dynamodb', ['GetItem', 'UpdateItem'], table.tableArn),
        allow(
          's3',
          ['GetObject'],
          [RESULT_FILE, CLAIM_FILE].map((file) => media.arnForObjects(`${TMP_PREFIX}*/${file}`)),
        ),
        allowListing(media, TMP_PREFIX),
      ],
    });
    consume(this.trackJob, this.work.queue, 10);
    routeEvents(
      this,
      'JobStateChange',
      {
        source: ['aws.batch'],
        detailType: ['Batch Job State Change'],
        detail: { jobQueue: [encode.jobQueueArn, encode.retranscodeJobQueueArn] },
      },
      this.work,
    );
    routeEvents(this, 'JobProgress', { source: [SOURCE.worker], detailType: [DETAIL.progress] }, this.work, bus);
  }
}
