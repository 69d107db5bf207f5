import { Duration, Validations } from 'aws-cdk-lib';
import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { z } from 'zod';
import type { SweepInput } from '../../core/contracts/events.ts';
import { CLAIM_FILE, DROP_PREFIX, OUTPUT_KEYS, RESULT_FILE, TMP_PREFIX } from '../../core/contracts/keys.ts';
import type { Encode } from '../encode/encode.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { allow, allowListing } from '../parts/allow.ts';
import { HandlerFunction } from '../parts/handler-function.ts';
import type { Surroundings } from '../parts/surroundings.ts';
import { deadLetterQueue } from '../parts/work-queue.ts';
import type { Publish } from '../publish/publish.ts';
import { indexArn, type Storage } from '../storage/storage.ts';

export const SWEEP_MINUTES = 5;

/** Those of its transactions included. */
const TABLE_ACTIONS = ['GetItem', 'BatchGetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'];

/** Every 5 minutes: expands flags, submits re-transcodes within the cap, repairs what events missed, removes what has expired. */
export class Sweep extends Construct {
  readonly sweep: HandlerFunction;
  readonly missed: Queue;

  constructor(
    scope: Construct,
    id: string,
    surroundings: Surroundings,
    stages: { storage: Storage; encode: Encode; ingest: Ingest; publish: Publish },
  ) {
    super(scope, id);
    const { configuration } = surroundings;
    const { table, uploads, media } = stages.storage;
    const queues = { ingest: stages.ingest.work.queue, publish: stages.publish.work.queue };
    this.missed = deadLetterQueue(this, 'Missed');
    this.sweep = new HandlerFunction(this, 'Sweep', {
      surroundings,
      handler: 'sweep',
      // Shorter than the interval, so that two runs seldom meet; every step is conditional for when they do.
      timeout: Duration.seconds(SWEEP_MINUTES * 60 - 15),
      memorySize: 512,
      environment: {
        ...stages.encode.environment,
        TABLE_NAME: table.tableName,
        UPLOADS_BUCKET: uploads.bucketName,
        MEDIA_BUCKET: media.bucketName,
        INGEST_QUEUE_URL: queues.ingest.queueUrl,
        PUBLISH_QUEUE_URL: queues.publish.queueUrl,
        MAX_UPLOAD_BYTES: String(configuration.maxUploadBytes),
        GRACE_HOURS: String(configuration.graceHours),
        MAX_RETRANSCODES: String(configuration.maxRetranscodes),
      },
      permissions: [
        stages.encode.maySubmit(),
        stages.encode.mayTerminate(),
        // Batch knows no resources for these two.
        allow('batch', ['DescribeJobs', 'ListJobs'], '*'),
        allow('sqs', ['SendMessage'], [queues.ingest.queueArn, queues.publish.queueArn, this.missed.queueArn]),
        allow('dynamodb', TABLE_ACTIONS, table.tableArn),
        allow('dynamodb', ['Query'], [indexArn(table, 'todo'), indexArn(table, 'byCollection')]),
        allow('s3', ['GetObject', 'GetObjectVersion', 'DeleteObjectVersion'], uploads.arnForObjects(`${DROP_PREFIX}*`)),
        allow('s3', ['ListBucketVersions'], uploads.bucketArn, { StringLike: { 's3:prefix': `${DROP_PREFIX}*` } }),
        allowListing(uploads, DROP_PREFIX),
        allow(
          's3',
          ['GetObject'],
          [`${TMP_PREFIX}*/${RESULT_FILE}`, `${TMP_PREFIX}*/${CLAIM_FILE}`, ...OUTPUT_KEYS].map((key) =>
            media.arnForObjects(key),
          ),
        ),
        allow('s3', ['DeleteObject'], media.arnForObjects('*')),
        allow('s3', ['ListBucket'], media.bucketArn),
      ],
    });
    Validations.of(this.sweep.role).acknowledge(
      { id: 'AwsSolutions-IAM5[Resource::*]', reason: 'batch:DescribeJobs and ListJobs take no resource' },
      {
        id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:batch:<AWS::Region>:<AWS::AccountId>:job/*]',
        reason: 'AWS Batch makes the ids of jobs, so that no narrower name is known',
      },
    );
    this.sweep.fn.configureAsyncInvoke({
      // The next run does what this one could not.
      retryAttempts: 0,
      maxEventAge: Duration.minutes(SWEEP_MINUTES),
      // SqsDestination would grant what the role has already.
      onFailure: { bind: () => ({ destination: this.missed.queueArn }) },
    });
    const role = new Role(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com'),
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
        input: JSON.stringify({ time: '<aws.scheduler.scheduled-time>' } satisfies z.input<typeof SweepInput>),
        // Lambda takes the event and answers before the function runs: these two are for when it does not take it.
        retryPolicy: { maximumRetryAttempts: 0 },
        deadLetterConfig: { arn: this.missed.queueArn },
      },
    });
  }
}
