import { Duration, Validations } from 'aws-cdk-lib';
import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { DROP_PREFIX } from '../../core/contracts/keys.ts';
import type { Encode } from '../encode/encode.ts';
import type { Ingest } from '../ingest/ingest.ts';
import { allow } from '../parts/allow.ts';
import { HandlerFunction } from '../parts/handler-function.ts';
import type { Surroundings } from '../parts/surroundings.ts';
import { deadLetterQueue } from '../parts/work-queue.ts';
import type { Publish } from '../publish/publish.ts';
import { indexArn, type Storage } from '../storage/storage.ts';

export const SWEEP_MINUTES = 5;

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
        // Batch knows no resources for these two.
        allow('batch', ['DescribeJobs', 'ListJobs'], '*'),
        allow('sqs', ['SendMessage'], [queues.ingest.queueArn, queues.publish.queueArn]),
        allow('dynamodb', ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem', 'Query'], table.tableArn),
        allow('dynamodb', ['Query'], [indexArn(table, 'todo'), indexArn(table, 'byCollection')]),
        allow('s3', ['ListBucket'], [uploads.bucketArn, media.bucketArn]),
        allow('s3', ['GetObject', 'DeleteObject'], media.arnForObjects('*')),
        allow('s3', ['GetObject'], uploads.arnForObjects(`${DROP_PREFIX}*`)),
      ],
    });
    Validations.of(this.sweep.role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'batch:DescribeJobs and ListJobs take no resource',
    });
    this.missed = deadLetterQueue(this, 'Missed');
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
        // The next run does what this one could not.
        retryPolicy: { maximumRetryAttempts: 0 },
        deadLetterConfig: { arn: this.missed.queueArn },
      },
    });
  }
}
