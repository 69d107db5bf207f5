import { Aws, Stack } from 'aws-cdk-lib';
import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnQueue } from 'aws-cdk-lib/aws-mediaconvert';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { SOURCE_FILE, TMP_PREFIX } from '../../../core/contracts/keys.ts';
import { APP, MEDIACONVERT_EVENTS, type MediaConvertEnv } from '../../../engines/mediaconvert/names.ts';
import { allow } from '../../parts/allow.ts';
import type { EngineConstruct, Grant } from '../engine.ts';

const SERVICE = 'mediaconvert.amazonaws.com';

/** What MediaConvert is given of the rest: where it writes, and who prepares and finishes its jobs. */
export interface MediaConvertProps {
  media: IBucket;
  workers: Workers;
}

/** The queues of AWS Batch and the job definition of the workers. */
export interface Workers {
  queues: Readonly<Record<'JobQueue' | 'RetranscodeJobQueue' | 'OnDemandJobQueue', string>>;
  definition: string;
  /** The same with a `*` for the revision. */
  anyRevision: string;
}

/** The engine `mediaconvert`: its queue and role, and what functions may do with them and with AWS Batch. */
export class MediaConvertEngine extends Construct implements EngineConstruct {
  readonly environment: Record<keyof MediaConvertEnv, string>;
  readonly grants: EngineConstruct['grants'];
  readonly events: EngineConstruct['events'];
  readonly outputs: EngineConstruct['outputs'];

  constructor(scope: Construct, id: string, { media, workers }: MediaConvertProps) {
    super(scope, id);
    // Of its own: the account's default queue may be paused, or full of somebody else's jobs.
    const queue = new CfnQueue(this, 'Queue', { description: 'dropreel', pricingPlan: 'ON_DEMAND' });
    const role = jobRole(this, queue.attrArn, media);
    this.environment = {
      MEDIACONVERT_QUEUE: queue.attrArn,
      MEDIACONVERT_ROLE: role.roleArn,
      JOB_BUCKET: media.bucketName,
      JOB_QUEUE: workers.queues.JobQueue,
      RETRANSCODE_JOB_QUEUE: workers.queues.RetranscodeJobQueue,
      ON_DEMAND_JOB_QUEUE: workers.queues.OnDemandJobQueue,
      JOB_DEFINITION: workers.definition,
    };
    this.grants = grants(this, { queueArn: queue.attrArn, roleArn: role.roleArn });
    this.events = {
      MediaConvertJobStateChange: {
        source: [MEDIACONVERT_EVENTS.source],
        detailType: [MEDIACONVERT_EVENTS.jobChanged],
        detail: { queue: [queue.attrArn], userMetadata: { app: [APP] } },
      },
    };
    this.outputs = { MediaConvertQueue: queue.attrArn };
  }
}

/**
 * Reads what workers have prepared, and writes under tmp/ only. MediaConvert overwrites what it finds, so that nothing published is in its
 * reach.
 */
function jobRole(scope: Construct, queueArn: string, media: IBucket): Role {
  return new Role(scope, 'JobRole', {
    // Not for jobs of other queues or accounts: the service names the queue, not the job.
    // https://docs.aws.amazon.com/mediaconvert/latest/ug/cross-service-confused-deputy-prevention.html
    assumedBy: new ServicePrincipal(SERVICE, {
      conditions: {
        StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID },
        ArnLike: { 'aws:SourceArn': queueArn },
      },
    }),
    inlinePolicies: {
      job: new PolicyDocument({
        statements: [
          allow('s3', ['GetObject'], media.arnForObjects(`${TMP_PREFIX}*/${SOURCE_FILE}`)),
          allow('s3', ['PutObject'], media.arnForObjects(`${TMP_PREFIX}*`)),
        ],
      }),
    },
  });
}

function grants(
  scope: Construct,
  { queueArn, roleArn }: { queueArn: string; roleArn: string },
): EngineConstruct['grants'] {
  const submit: Grant = {
    statements: [
      allow('mediaconvert', ['CreateJob'], queueArn),
      allow('iam', ['PassRole'], roleArn, { StringEquals: { 'iam:PassedToService': SERVICE } }),
    ],
  };
  const jobs = Stack.of(scope).formatArn({ service: 'mediaconvert', resource: 'jobs', resourceName: '*' });
  const look: Grant = { statements: [allow('mediaconvert', ['GetQueue'], queueArn)] };
  const follow = (...actions: string[]): Grant => ({
    statements: [allow('mediaconvert', actions, jobs)],
    acknowledged: [
      {
        id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:mediaconvert:<AWS::Region>:<AWS::AccountId>:jobs/*]',
        reason: 'MediaConvert makes the ids of jobs, so that no narrower name is known',
      },
    ],
  });
  // Its workers are submitted, and what they prepare is read, with the permissions of the engine of AWS Batch.
  return {
    // A new upload replaces a re-transcode, in whatever part that is.
    'ingest-upload': follow('CancelJob'),
    api: { statements: [] },
    'track-job': joined(submit, follow('CancelJob')),
    sweep: joined(submit, follow('GetJob', 'CancelJob'), look),
  };
}

function joined(...parts: Grant[]): Grant {
  return {
    statements: parts.flatMap(({ statements }) => statements),
    acknowledged: parts.flatMap(({ acknowledged = [] }) => acknowledged),
  };
}
