import { App } from 'aws-cdk-lib';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import * as env from '../../core/contracts/env.ts';
import { ArchiveEnv, BatchEnv } from '../../engines/batch/names.ts';
import { readConfiguration } from '../../lib/configuration.ts';
import { DropreelStack } from '../../lib/dropreel-stack.ts';
import { functionNamed, synthesize } from './synthesize.ts';

let template: Template;
beforeAll(async () => {
  ({ template } = await synthesize());
});

const ENVIRONMENTS: [name: string, schema: z.ZodObject][] = [
  ['ingest-upload', env.IngestUploadEnv.extend(BatchEnv.shape)],
  ['track-job', env.TrackJobEnv.extend(BatchEnv.shape)],
  ['publish-output', env.PublishOutputEnv],
  ['announce-change', env.AnnounceChangeEnv],
  ['sweep', env.SweepEnv.extend(BatchEnv.shape).extend(ArchiveEnv.shape)],
  ['api', env.ApiEnv.extend(BatchEnv.shape)],
  ['fan-out-change', env.FanOutChangeEnv],
  ['deliver-webhook', env.DeliverWebhookEnv],
];

describe('the stack', () => {
  it('is not synthesized before the build, and the error says so', () => {
    const stack = () =>
      new DropreelStack(new App(), 'Dropreel', { configuration: readConfiguration({}), dist: '/nowhere' });
    expect(stack).toThrow('/nowhere/transcoder is missing: run the build first (node --import tsx scripts/build.ts).');
  });

  it('gives an address of the API without a slash at its end, so that $API/uploads has one', () => {
    const [api = ''] = Object.keys(template.findResources('AWS::ApiGatewayV2::Api'));
    template.hasOutput('ApiUrl', { Value: { 'Fn::GetAtt': [api, 'ApiEndpoint'] } });
  });
});

describe('the functions', () => {
  it('that submit jobs have the monthly cap of the configuration', async () => {
    const { template: capped } = await synthesize({ maxUsdPerMonth: 12.5 });
    for (const name of ['ingest-upload', 'sweep', 'api']) {
      const { Variables } = functionNamed(capped, name).properties.Environment;
      expect([name, Variables.MAX_USD_PER_MONTH]).toEqual([name, '12.5']);
    }
  });
  it.each(ENVIRONMENTS)('%s has exactly the environment of its contract', (name, schema) => {
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

  it.each([
    ['that of every upload', {}, '53687091200'],
    ['its own, where there is one', { maxApiUploadBytes: 200_000_000 }, '200000000'],
  ])('limit uploads through the API to %s', async (_, overrides, bytes) => {
    const { template: made } = await synthesize(overrides);
    expect(functionNamed(made, 'api').properties.Environment.Variables.MAX_API_UPLOAD_BYTES).toBe(bytes);
  });

  it('that send messages to themselves are allowed to by their RecursiveLoop', () => {
    const allowed = Object.values(template.findResources('AWS::Lambda::Function'))
      .filter(({ Properties }) => Properties.RecursiveLoop === 'Allow')
      .map(({ Properties }) => Properties.Environment.Variables.POWERTOOLS_SERVICE_NAME);
    expect(allowed.sort()).toEqual(['deliver-webhook', 'publish-output']);
  });

  it('run on Node 24, arm64, each with a log group of its own that is deleted with the stack', () => {
    template.allResourcesProperties('AWS::Lambda::Function', {
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      LoggingConfig: { LogGroup: Match.anyValue() },
    });
    template.allResourcesProperties('AWS::Logs::LogGroup', { RetentionInDays: 30 });
    template.allResources('AWS::Logs::LogGroup', { DeletionPolicy: 'Delete', UpdateReplacePolicy: 'Delete' });
    const names = Object.values(template.findResources('AWS::Logs::LogGroup')).map(
      ({ Properties }) => Properties.LogGroupName,
    );
    expect(names.toSorted()).toEqual([
      '/aws/vendedlogs/dropreel/api-access',
      '/dropreel/announce-change',
      '/dropreel/api',
      '/dropreel/deliver-webhook',
      '/dropreel/fan-out-change',
      '/dropreel/ingest-upload',
      '/dropreel/publish-output',
      '/dropreel/serve-pages',
      '/dropreel/sweep',
      '/dropreel/track-job',
      '/dropreel/worker',
    ]);
  });
});

describe('the queues', () => {
  it('have dead letters after 5 receives, or are dead letters', () => {
    const queues = Object.entries(template.findResources('AWS::SQS::Queue'));
    const work = queues.filter(([, { Properties }]) => Properties.RedrivePolicy);
    expect(work.map(([, { Properties }]) => Properties.RedrivePolicy.maxReceiveCount)).toEqual([5, 5, 5, 5, 5]);
    const read = Object.values(template.findResources('AWS::Lambda::EventSourceMapping')).map(
      ({ Properties }) => Properties.EventSourceArn['Fn::GetAtt'][0],
    );
    const stream = Object.keys(template.findResources('AWS::DynamoDB::Table'));
    expect(read.sort()).toEqual([...work.map(([id]) => id), ...stream].sort());
  });

  it('have a visibility timeout of 6 times the timeout of their function', () => {
    const queues = template.findResources('AWS::SQS::Queue');
    const functions = template.findResources('AWS::Lambda::Function');
    const ratios = Object.values(template.findResources('AWS::Lambda::EventSourceMapping')).flatMap(
      ({ Properties }) => {
        const queue = queues[Properties.EventSourceArn['Fn::GetAtt'][0]];
        const { Timeout } = functions[Properties.FunctionName.Ref]?.Properties ?? {};
        return queue ? [queue.Properties.VisibilityTimeout / Timeout] : [];
      },
    );
    expect(ratios).toEqual([6, 6, 6, 6, 6]);
  });

  it('are read with at most 2 executions each by default, and with as many as are configured', async () => {
    const limits = (of: Template) =>
      Object.values(of.findResources('AWS::Lambda::EventSourceMapping')).flatMap(({ Properties }) =>
        Properties.EventSourceArn['Fn::GetAtt'][1] === 'Arn' ? [Properties.ScalingConfig?.MaximumConcurrency] : [],
      );
    expect(limits(template)).toEqual([2, 2, 2, 2, 2]);
    const { template: raised } = await synthesize({ concurrency: { ingest: 30, deliveries: 40 } });
    expect(limits(raised).toSorted((a, b) => a - b)).toEqual([2, 2, 2, 30, 40]);
  });

  it('are read with partial batch responses', () => {
    template.allResourcesProperties('AWS::Lambda::EventSourceMapping', {
      FunctionResponseTypes: ['ReportBatchItemFailures'],
    });
  });

  it('do not hold changes: the stream is read again without limit, so that an outage of the bus loses none', () => {
    template.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      StartingPosition: 'TRIM_HORIZON',
      MaximumRetryAttempts: -1,
      BisectBatchOnFunctionError: true,
    });
  });

  it('keep every run of sweep that failed or did not start before the next, and none is retried', () => {
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

  it('keep what EventBridge could not deliver as a dead letter', () => {
    template.allResourcesProperties('AWS::Events::Rule', {
      Targets: [{ DeadLetterConfig: { Arn: Match.anyValue() } }],
    });
  });
});

describe('the stored data', () => {
  it('stay when the stack is deleted, and buckets and table only if their creation succeeded', () => {
    for (const type of ['AWS::S3::Bucket', 'AWS::DynamoDB::Table']) {
      template.allResources(type, { DeletionPolicy: 'RetainExceptOnCreate', UpdateReplacePolicy: 'Retain' });
    }
    template.allResources('AWS::Cognito::UserPool', { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  });

  it('have no public access and are encrypted', () => {
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
    });
  });

  it('expire tmp/ after 7 days, and unfinished uploads after 3', () => {
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

  it('include one table with a stream, TTL, point-in-time recovery, and three indexes of keys', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      BillingMode: 'PAY_PER_REQUEST',
      DeletionProtectionEnabled: true,
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      GlobalSecondaryIndexes: [
        Match.objectLike({ IndexName: 'byCreator', Projection: { ProjectionType: 'KEYS_ONLY' } }),
        Match.objectLike({ IndexName: 'byCollection', Projection: { ProjectionType: 'KEYS_ONLY' } }),
        Match.objectLike({ IndexName: 'todo', Projection: { ProjectionType: 'KEYS_ONLY' } }),
      ],
    });
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

  it('never serves tmp/, and serves private/ only with a key to check signatures', async () => {
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
      ['private/*/hls/preview/*', 0],
      ['private/*/thumbnails/*', 0],
      ['private/*', 1],
      ['*/mp4/*/video.mp4', 0],
      ['embed/*', 0],
      ['console', 0],
      ['console/*', 0],
    ]);
    const [publicKey = ''] = Object.keys(signed.findResources('AWS::CloudFront::PublicKey'));
    const { PLAYBACK_KEYS, PLAYBACK_SECRET } = functionNamed(signed, 'api').properties.Environment.Variables;
    expect(PLAYBACK_SECRET).toBe('dropreel/key');
    // The SHA-256 of the three bytes.
    expect(PLAYBACK_KEYS).toEqual({ 'Fn::Join': ['', ['ccf72380a62a235f=', { Ref: publicKey }]] });
    expect(publicKey).toContain('ccf72380a62a235f');
  });

  it('accepts HTTPS only, over HTTP/2 and 3', () => {
    template.hasResourceProperties('AWS::CloudFront::Distribution', {
      DistributionConfig: { HttpVersion: 'http2and3', DefaultCacheBehavior: { ViewerProtocolPolicy: 'https-only' } },
    });
  });
});

describe('the API', () => {
  it('requires a token for every route but those of pages, descriptions and callbacks', () => {
    const routes = Object.values(template.findResources('AWS::ApiGatewayV2::Route')).map(({ Properties }) => [
      Properties.RouteKey,
      Properties.AuthorizationType,
    ]);
    expect(Object.fromEntries(routes)).toEqual({
      'GET /{proxy+}': 'JWT',
      'HEAD /{proxy+}': 'JWT',
      'POST /{proxy+}': 'JWT',
      'PUT /{proxy+}': 'JWT',
      'PATCH /{proxy+}': 'JWT',
      'DELETE /{proxy+}': 'JWT',
      'POST /engine-callbacks/{jobId}': 'NONE',
      'GET /openapi.json': 'NONE',
      'GET /oembed': 'NONE',
      'GET /console/{proxy+}': 'NONE',
      'HEAD /console/{proxy+}': 'NONE',
      'GET /embed/{creatorId}/{mediaId}': 'NONE',
      'HEAD /embed/{creatorId}/{mediaId}': 'NONE',
    });
  });

  it('rotates the refresh tokens of a client that lacks the flow which Cognito allows no rotation with', () => {
    template.hasResourceProperties('AWS::Cognito::UserPoolClient', {
      RefreshTokenRotation: { Feature: 'ENABLED', RetryGracePeriodSeconds: 60 },
      ExplicitAuthFlows: ['ALLOW_USER_SRP_AUTH'],
    });
  });

  it('trusts the configured issuer instead of a user pool of its own', async () => {
    const { template: own } = await synthesize({ jwtIssuer: 'https://id.example.com', jwtAudience: ['dropreel'] });
    own.resourceCountIs('AWS::Cognito::UserPool', 0);
    own.hasResourceProperties('AWS::ApiGatewayV2::Authorizer', {
      JwtConfiguration: { Issuer: 'https://id.example.com', Audience: ['dropreel'] },
    });
  });
});
