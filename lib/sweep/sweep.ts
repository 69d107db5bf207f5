import { Aws, Duration } from 'aws-cdk-lib';
import { Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { DETAIL, SOURCE, type SweepInput } from '../../core/contracts/events.ts';
import {
  ARCHIVE_FILES,
  ARCHIVE_PREFIX,
  CLAIM_FILE,
  DROP_PREFIX,
  OUTPUT_KEYS,
  PUBLISHED_KEYS,
  RESULT_FILE,
  TMP_PREFIX,
} from '../../core/contracts/keys.ts';
import { PARTITIONS } from '../../core/contracts/table/keys.ts';
import type { MediaState } from '../../core/contracts/table/media.ts';
import { SWEEP_MINUTES, SWEEP_RUN_SECONDS } from '../../core/contracts/timing.ts';
import { BATCH_EVENTS } from '../../engines/batch/names.ts';
import type { Engines } from '../engines/engines.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { allow, allowListing, allowRows } from '../parts/allow.ts';
import { capVariable } from '../parts/cap.ts';
import { HandlerFunction } from '../parts/handler-function.ts';
import type { StageProps } from '../parts/stage-props.ts';
import { deadLetterQueue } from '../parts/work-queue.ts';
import type { Publish } from '../publish/publish.ts';
import { indexArn, type Storage } from '../storage/storage.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';

/** Including those of its transactions. */
const TABLE_ACTIONS = ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'];

/** Every 5 minutes: expands flags, submits re-transcodes within the cap, repairs what events missed, removes what has expired. */
export class Sweep extends Construct {
  readonly sweep: HandlerFunction;
  readonly missed: Queue;

  constructor(
    scope: Construct,
    id: string,
    stageProps: StageProps,
    stages: { storage: Storage; engines: Engines; ingest: Ingest; publish: Publish; webhooks: Webhooks },
  ) {
    super(scope, id);
    const { configuration } = stageProps;
    const { table, uploads, media } = stages.storage;
    const queues = {
      ingest: stages.ingest.work.queue,
      publish: stages.publish.work.queue,
      webhooks: stages.webhooks.deliveries.queue,
    };
    this.missed = deadLetterQueue(this, 'Missed');
    this.sweep = new HandlerFunction(this, 'Sweep', {
      stageProps,
      handler: 'sweep',
      timeout: Duration.seconds(SWEEP_RUN_SECONDS),
      memorySize: 512,
      environment: {
        ...stages.engines.environment,
        ...stages.engines.archive.environment,
        TABLE_NAME: table.tableName,
        UPLOADS_BUCKET: uploads.bucketName,
        MEDIA_BUCKET: media.bucketName,
        INGEST_QUEUE_URL: queues.ingest.queueUrl,
        PUBLISH_QUEUE_URL: queues.publish.queueUrl,
        WEBHOOK_QUEUE_URL: queues.webhooks.queueUrl,
        MAX_RETRANSCODES: String(configuration.maxRetranscodes),
        ...capVariable(configuration),
      },
      permissions: [
        ...stages.engines.permissionsOf('sweep'),
        allow('sqs', ['SendMessage'], [...Object.values(queues).map(({ queueArn }) => queueArn), this.missed.queueArn]),
        allowRows(table, TABLE_ACTIONS, [PARTITIONS.media, PARTITIONS.creator, PARTITIONS.sweep]),
        allowRows(table, ['GetItem', 'UpdateItem'], [PARTITIONS.deliveries]),
        allowRows(table, ['GetItem', 'UpdateItem', 'DeleteItem'], [PARTITIONS.engines]),
        allow('dynamodb', ['Query'], [indexArn(table, 'todo'), indexArn(table, 'byCollection')]),
        allow('s3', ['GetObject', 'GetObjectVersion', 'DeleteObjectVersion'], uploads.arnForObjects(`${DROP_PREFIX}*`)),
        // The copies that the archive makes of originals: each has a key of its own.
        allow(
          's3',
          [
            ...['GetObject', 'GetObjectVersion', 'DeleteObjectVersion'],
            ...['PutObject', 'ListMultipartUploadParts', 'AbortMultipartUpload'],
          ],
          uploads.arnForObjects(`${ARCHIVE_PREFIX}*`),
        ),
        allow('s3', ['GetLifecycleConfiguration'], uploads.bucketArn),
        // A version with a tag of ours is moved to another storage class by a rule of the bucket.
        allow(
          's3',
          ['GetObjectVersionTagging', 'PutObjectVersionTagging'],
          [DROP_PREFIX, ARCHIVE_PREFIX].map((prefix) => uploads.arnForObjects(`${prefix}*`)),
        ),
        stages.engines.archive.maySubmit,
        allow('s3', ['ListBucketVersions'], uploads.bucketArn, {
          StringLike: { 's3:prefix': [`${DROP_PREFIX}*`, `${ARCHIVE_PREFIX}*`] },
        }),
        allowListing(uploads, DROP_PREFIX, ARCHIVE_PREFIX),
        allow(
          's3',
          ['RestoreObject'],
          [DROP_PREFIX, ARCHIVE_PREFIX].map((prefix) => uploads.arnForObjects(`${prefix}*`)),
        ),
        allow(
          's3',
          ['GetObject'],
          [...[RESULT_FILE, CLAIM_FILE, ...ARCHIVE_FILES].map((file) => `${TMP_PREFIX}*/${file}`), ...OUTPUT_KEYS].map(
            (key) => media.arnForObjects(key),
          ),
        ),
        // Deleting a media item also removes what its jobs left under tmp/: claims and results stay there until then.
        allow(
          's3',
          ['DeleteObject'],
          [`${TMP_PREFIX}*`, ...PUBLISHED_KEYS].map((key) => media.arnForObjects(key)),
        ),
        allow('s3', ['ListBucket'], media.bucketArn),
      ],
    });
    stages.engines.connect('sweep', this.sweep);
    this.sweep.fn.configureAsyncInvoke({
      // The next run does what this one could not.
      retryAttempts: 0,
      maxEventAge: Duration.minutes(SWEEP_MINUTES),
      // SqsDestination would grant what the role has already.
      onFailure: { bind: () => ({ destination: this.missed.queueArn }) },
    });
    new Rule(this, 'RetranscodeEnded', {
      eventBus: stages.storage.bus,
      eventPattern: {
        source: [SOURCE.pipeline],
        detailType: [DETAIL.mediaChanged],
        detail: { from: ['retranscoding' satisfies MediaState] },
      },
      targets: [this.invoke('retranscodes')],
    });
    new Rule(this, 'ArchiveEnded', {
      eventPattern: {
        source: [BATCH_EVENTS.source],
        detailType: [BATCH_EVENTS.jobChanged],
        detail: { jobQueue: [stages.engines.archive.queueArn], status: ['SUCCEEDED', 'FAILED'] },
      },
      targets: [this.invoke('archive')],
    });
    const role = new Role(this, 'ScheduleRole', {
      // Not for schedules of another account.
      // https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
      inlinePolicies: {
        schedule: new PolicyDocument({
          statements: [
            allow('lambda', ['InvokeFunction'], this.sweep.fn.functionArn),
            allow('sqs', ['SendMessage'], this.missed.queueArn),
          ],
        }),
      },
    });
    new CfnSchedule(this, 'Schedule', {
      scheduleExpression: `rate(${SWEEP_MINUTES} minutes)`,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: this.sweep.fn.functionArn,
        roleArn: role.roleArn,
        input: JSON.stringify({ time: '<aws.scheduler.scheduled-time>' } satisfies SweepInput),
        // Lambda accepts the event and answers before the function runs: these two apply when it does not accept it.
        retryPolicy: { maximumRetryAttempts: 0 },
        deadLetterConfig: { arn: this.missed.queueArn },
      },
    });
  }

  /** One part alone: what it could not do, the next run does. */
  private invoke(only: NonNullable<SweepInput['only']>): LambdaFunction {
    return new LambdaFunction(this.sweep.fn, {
      event: RuleTargetInput.fromObject({ only } satisfies SweepInput),
      retryAttempts: 0,
      maxEventAge: Duration.minutes(SWEEP_MINUTES),
      deadLetterQueue: this.missed,
    });
  }
}
