import { App } from 'aws-cdk-lib';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import * as env from '../../core/contracts/env.ts';
import { readConfiguration } from '../../lib/configuration.ts';
import { DropreelStack } from '../../lib/dropreel-stack.ts';
import { functionNamed, synthesize } from './synthesize.ts';

let template: Template;
beforeAll(async () => {
  ({ template } = await synthesize());
});

const ENVIRONMENTS: [name: string, schema: z.ZodObject][] = [
  ['ingest-upload', env.IngestUploadEnv],
  ['track-job', env.TrackJobEnv],
  ['publish-output', env.PublishOutputEnv],
  ['announce-change', env.AnnounceChangeEnv],
  ['sweep', env.SweepEnv],
  ['api', env.ApiEnv],
  ['deliver-webhook', env.DeliverWebhookEnv],
];

describe('the stack', () => {
  it('is not made before the build, and says so', () => {
    const stack = () =>
      new DropreelStack(new App(), 'Dropreel', { configuration: readConfiguration({}), dist: '/nowhere' });
    expect(stack).toThrow('/nowhere/transcoder is missing: run the build first (node --import tsx scripts/build.ts).');
  });
});

describe('the functions', () => {
  it.each(ENVIRONMENTS)('%s has the environment that it reads, and no more', (name, schema) => {
    const variables: Record<string, unknown> = functionNamed(template, name).properties.Environment.Variables;
    const deployed = Object.fromEntries(
      Object.entries(variables).map(([key, value]) => [key, typeof value === 'string' ? value : 'known when deployed']),
    );
    const required = Object.entries(schema.shape).filter(([, field]) => !field.safeParse(undefined).success);
    expect(schema.safeParse(deployed).error).toBeUndefined();
    expect(Object.keys(variables).sort()).toEqual(
      [...required.map(([key]) => key), 'POWERTOOLS_METRICS_NAMESPACE', 'POWERTOOLS_SERVICE_NAME'].sort(),
    );
  });

  it('run on Node 24, arm64, each with a log of its own that ends', () => {
    template.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      LoggingConfig: { LogGroup: Match.anyValue() },
    });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
  });
});

describe('the queues', () => {
  it('have dead letters after 5 receives, or are dead letters', () => {
    const queues = Object.entries(template.findResources('AWS::SQS::Queue'));
    const work = queues.filter(([, { Properties }]) => Properties.RedrivePolicy);
    expect(work.map(([, { Properties }]) => Properties.RedrivePolicy.maxReceiveCount)).toEqual([5, 5, 5, 5]);
    const read = Object.values(template.findResources('AWS::Lambda::EventSourceMapping')).map(
      ({ Properties }) => Properties.EventSourceArn['Fn::GetAtt'][0],
    );
    const stream = Object.keys(template.findResources('AWS::DynamoDB::Table'));
    expect(read.sort()).toEqual([...work.map(([id]) => id), ...stream].sort());
  });

  it('hide a message for 6 times as long as its function may run', () => {
    const queues = template.findResources('AWS::SQS::Queue');
    const functions = template.findResources('AWS::Lambda::Function');
    const ratios = Object.values(template.findResources('AWS::Lambda::EventSourceMapping')).flatMap(
      ({ Properties }) => {
        const queue = queues[Properties.EventSourceArn['Fn::GetAtt'][0]];
        const { Timeout } = functions[Properties.FunctionName.Ref]?.Properties ?? {};
        return queue ? [queue.Properties.VisibilityTimeout / Timeout] : [];
      },
    );
    expect(ratios).toEqual([6, 6, 6, 6]);
  });

  it('answer for a batch message by message', () => {
    template.allResourcesProperties('AWS::Lambda::EventSourceMapping', {
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
  });

  it('take every run of sweep that failed or was not begun before the next: none is tried again', () => {
    const [schedule] = Object.values(template.findResources('AWS::Scheduler::Schedule'));
    template.allResourcesProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: schedule?.Properties.Target.Arn['Fn::GetAtt'][0] },
      Qualifier: '$LATEST',
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 300,
      DestinationConfig: { OnFailure: { Destination: schedule?.Properties.Target.DeadLetterConfig.Arn } },
    });
    template.resourceCountIs('AWS::Lambda::EventInvokeConfig', 1);
  });

  it('take what EventBridge could not deliver as a dead letter', () => {
    template.allResourcesProperties('AWS::Events::Rule', {
      Targets: [{ DeadLetterConfig: { Arn: Match.anyValue() } }],
    });
  });
});

describe('the stored things', () => {
  it('stay when the stack goes', () => {
    for (const type of ['AWS::S3::Bucket', 'AWS::DynamoDB::Table', 'AWS::Cognito::UserPool']) {
      template.allResources(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    }
  });

  it('are closed to the public and encrypted', () => {
    template.allResourcesProperties('AWS::S3::Bucket', {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
    });
  });

  it('keep every version of an upload', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      VersioningConfiguration: { Status: 'Enabled' },
      NotificationConfiguration: { EventBridgeConfiguration: { EventBridgeEnabled: true } },
      LifecycleConfiguration: {
        Rules: [{ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 }, Status: 'Enabled' }],
      },
    });
  });

  it('forget tmp/ after 7 days, unfinished uploads after 3', () => {
    template.hasResourceProperties('AWS::S3::Bucket', {
      VersioningConfiguration: Match.absent(),
      LifecycleConfiguration: {
        Rules: [
          { Prefix: 'tmp/', ExpirationInDays: 7, Status: 'Enabled' },
          { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 }, Status: 'Enabled' },
        ],
      },
    });
  });

  it('are one table with a stream, TTL, recovery to any second, and three indexes', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      GlobalSecondaryIndexes: [
        Match.objectLike({ IndexName: 'byCreator', Projection: { ProjectionType: 'ALL' } }),
        Match.objectLike({ IndexName: 'byCollection', Projection: { ProjectionType: 'ALL' } }),
        Match.objectLike({ IndexName: 'todo', Projection: { ProjectionType: 'KEYS_ONLY' } }),
      ],
    });
  });
});

describe('the engine', () => {
  it('has no NAT gateway and no way in', () => {
    template.resourceCountIs('AWS::EC2::NatGateway', 0);
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
    template.allResourcesProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupIngress: Match.absent(),
      SecurityGroupEgress: [
        { IpProtocol: 'tcp', FromPort: 443, ToPort: 443, CidrIp: '0.0.0.0/0', Description: 'AWS APIs' },
      ],
    });
    template.resourcePropertiesCountIs('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' }, 2);
  });

  it('scales from zero to maxVcpus, three quarters of it on Spot, which comes first', () => {
    const environments = template.findResources('AWS::Batch::ComputeEnvironment');
    const [queue] = Object.values(template.findResources('AWS::Batch::JobQueue'));
    const resources = queue?.Properties.ComputeEnvironmentOrder.map(
      ({ ComputeEnvironment }: { ComputeEnvironment: { 'Fn::GetAtt': [string] } }) =>
        environments[ComputeEnvironment['Fn::GetAtt'][0]]?.Properties.ComputeResources,
    ) as Record<string, unknown>[];
    expect(resources.map(({ Type, MaxvCpus, MinvCpus }) => ({ Type, MaxvCpus, MinvCpus }))).toEqual([
      { Type: 'FARGATE_SPOT', MaxvCpus: 48, MinvCpus: undefined },
      { Type: 'FARGATE', MaxvCpus: 16, MinvCpus: undefined },
    ]);
  });

  it('serves new uploads before re-transcodes, and those by turns', () => {
    template.hasResourceProperties('AWS::Batch::JobQueue', { Priority: 10, SchedulingPolicyArn: Match.absent() });
    template.hasResourceProperties('AWS::Batch::JobQueue', { Priority: 1, SchedulingPolicyArn: Match.anyValue() });
  });

  it('tries a job 3 times, unless its failure is permanent', () => {
    template.hasResourceProperties('AWS::Batch::JobDefinition', {
      RetryStrategy: {
        Attempts: 3,
        EvaluateOnExit: [
          { OnExitCode: '65', Action: 'EXIT' },
          { OnExitCode: '0', Action: 'EXIT' },
          { OnStatusReason: 'Host EC2*', Action: 'RETRY' },
          { OnStatusReason: 'Your Spot Task was interrupted*', Action: 'RETRY' },
          { OnReason: '*', Action: 'RETRY' },
        ],
      },
      Timeout: { AttemptDurationSeconds: 43_200 },
    });
  });

  it('has the environment that the worker reads', () => {
    const [definition] = Object.values(template.findResources('AWS::Batch::JobDefinition'));
    const names = definition?.Properties.ContainerProperties.Environment.map(({ Name }: { Name: string }) => Name);
    // DROPREEL_JOB and AWS_BATCH_* come with each job.
    expect(names).toEqual(['BUS_NAME', 'SCRATCH_DIR']);
  });
});

describe('delivery', () => {
  const denied = (of: Template) => {
    const statements = Object.values(of.findResources('AWS::S3::BucketPolicy')).flatMap(
      ({ Properties }) => Properties.PolicyDocument.Statement,
    );
    const { Resource } = statements.find(({ Sid }) => Sid === 'NotForViewers');
    return [Resource].flat().map((arn) => arn['Fn::Join'][1][1]);
  };

  it('never serves tmp/, and private/ only with a key to check signatures', async () => {
    expect(denied(template)).toEqual(['/tmp/*', '/private/*']);
    const pem = '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n';
    const { template: signed } = await synthesize({
      playbackPublicKeyPem: pem,
      playbackPrivateKeySecret: 'dropreel/key',
    });
    expect(denied(signed)).toEqual(['/tmp/*']);
    const [{ Properties } = {}] = Object.values(signed.findResources('AWS::CloudFront::Distribution'));
    const behaviors = Properties.DistributionConfig.CacheBehaviors.map(
      ({ PathPattern, TrustedKeyGroups }: { PathPattern: string; TrustedKeyGroups?: unknown[] }) => [
        PathPattern,
        TrustedKeyGroups?.length ?? 0,
      ],
    );
    expect(behaviors).toEqual([
      ['private/*/hls/*/preview/*', 0],
      ['private/*/thumbnails/media/*', 0],
      ['private/*', 1],
    ]);
    expect(functionNamed(signed, 'api').properties.Environment.Variables).toMatchObject({
      PLAYBACK_KEY_PAIR_ID: { Ref: Object.keys(signed.findResources('AWS::CloudFront::PublicKey'))[0] },
      PLAYBACK_PRIVATE_KEY: '{{resolve:secretsmanager:dropreel/key:SecretString:::}}',
    });
  });

  it('takes HTTPS only, over HTTP/2 and 3', () => {
    template.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: { HttpVersion: 'http2and3', DefaultCacheBehavior: { ViewerProtocolPolicy: 'https-only' } },
    });
  });
});

describe('the API', () => {
  it('asks every route but two for a token', () => {
    const routes = Object.values(template.findResources('AWS::ApiGatewayV2::Route')).map(({ Properties }) => [
      Properties.RouteKey,
      Properties.AuthorizationType,
    ]);
    expect(Object.fromEntries(routes)).toEqual({
      'GET /{proxy+}': 'JWT',
      'POST /{proxy+}': 'JWT',
      'PATCH /{proxy+}': 'JWT',
      'DELETE /{proxy+}': 'JWT',
      'POST /engine-callbacks/{jobId}': 'NONE',
      'GET /openapi.json': 'NONE',
    });
  });

  it('trusts the issuer of the configuration instead of a user pool of its own', async () => {
    const { template: own } = await synthesize({ jwtIssuer: 'https://id.example.com', jwtAudience: ['dropreel'] });
    own.resourceCountIs('AWS::Cognito::UserPool', 0);
    own.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      JwtConfiguration: { Issuer: 'https://id.example.com', Audience: ['dropreel'] },
    });
  });
});
