import { Aws, Stack } from 'aws-cdk-lib';
import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnQueue } from 'aws-cdk-lib/aws-mediaconvert';
import { Construct } from 'constructs';
import { DROP_PREFIX, TMP_PREFIX } from '../../../core/contracts/keys.ts';
import { APP, MEDIACONVERT_EVENTS, type MediaConvertEnv } from '../../../engines/mediaconvert/names.ts';
import { allow } from '../../parts/allow.ts';
import type { Storage } from '../../storage/storage.ts';
import type { EngineConstruct, Grant } from '../engine.ts';

const SERVICE = 'mediaconvert.amazonaws.com';

/** The queue and the role of the engine `mediaconvert`, and what functions may do with them. */
export class MediaConvertEngine extends Construct implements EngineConstruct {
  readonly environment: Record<keyof MediaConvertEnv, string>;
  readonly grants: EngineConstruct['grants'];
  readonly events: EngineConstruct['events'];
  readonly outputs: EngineConstruct['outputs'];

  constructor(scope: Construct, id: string, storage: Pick<Storage, 'uploads' | 'media'>) {
    super(scope, id);
    // Of its own: the account's default queue may be paused, or full of somebody else's jobs.
    const queue = new CfnQueue(this, 'Queue', { description: 'dropreel', pricingPlan: 'ON_DEMAND' });
    const role = jobRole(this, queue.attrArn, storage);
    this.environment = { MEDIACONVERT_QUEUE: queue.attrArn, MEDIACONVERT_ROLE: role.roleArn };
    this.grants = grants(this, queue.attrArn, role.roleArn);
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

/** Reads uploads, and writes under tmp/ only. MediaConvert overwrites what it finds, so that nothing published is in its reach. */
function jobRole(scope: Construct, queueArn: string, { uploads, media }: Pick<Storage, 'uploads' | 'media'>): Role {
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
          allow('s3', ['GetObject'], uploads.arnForObjects(`${DROP_PREFIX}*`)),
          allow('s3', ['PutObject'], media.arnForObjects(`${TMP_PREFIX}*`)),
        ],
      }),
    },
  });
}

function grants(scope: Construct, queueArn: string, roleArn: string): EngineConstruct['grants'] {
  const submit: Grant = {
    statements: [
      allow('mediaconvert', ['CreateJob'], queueArn),
      allow('iam', ['PassRole'], roleArn, { StringEquals: { 'iam:PassedToService': SERVICE } }),
    ],
  };
  const jobs = Stack.of(scope).formatArn({ service: 'mediaconvert', resource: 'jobs', resourceName: '*' });
  const look: Grant = { statements: [allow('mediaconvert', ['GetQueue'], queueArn)] };
  const follow: Grant = {
    statements: [allow('mediaconvert', ['GetJob', 'CancelJob'], jobs)],
    acknowledged: [
      {
        id: 'AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:mediaconvert:<AWS::Region>:<AWS::AccountId>:jobs/*]',
        reason: 'MediaConvert makes the ids of jobs, so that no narrower name is known',
      },
    ],
  };
  return { 'ingest-upload': submit, api: submit, 'track-job': follow, sweep: joined(submit, follow, look) };
}

function joined(...parts: Grant[]): Grant {
  return {
    statements: parts.flatMap(({ statements }) => statements),
    acknowledged: parts.flatMap(({ acknowledged = [] }) => acknowledged),
  };
}
