import { ACCOUNT_ID, REGION } from '../account.ts';
import { physicalId, physicalName } from './names.ts';

/** What Ref and Fn::GetAtt give for a resource. */
export interface Identity {
  /** Its physical name or id, as in logs and metrics. */
  name: string;
  ref: string;
  attributes: Readonly<Record<string, string>>;
}

export interface Naming {
  stack: string;
  logicalId: string;
  /** `http://127.0.0.1:4566`: base of the queues' URLs. */
  endpoint: string;
  /** Resolved; only those are asked for that make the name. */
  property(name: string): string | undefined;
}

type Identify = (naming: Naming) => Identity;

/** A resource type with a name of its own: `property` gives it, or the logical id, within `max` characters. */
function named(
  property: string,
  max: number,
  identity: (name: string, naming: Naming) => { ref?: string; attributes?: Record<string, string> },
): Identify {
  return (naming) => {
    const name = naming.property(property) ?? physicalName(naming.stack, naming.logicalId, max);
    const { ref = name, attributes = {} } = identity(name, naming);
    return { name, ref, attributes };
  };
}

/** A resource type to which AWS gives an id. */
function numbered(
  length: number,
  identity: (id: string) => { ref?: string; attributes?: Record<string, string> },
): Identify {
  return ({ stack, logicalId }) => {
    const id = physicalId(stack, logicalId, length);
    const { ref = id, attributes = {} } = identity(id);
    return { name: id, ref, attributes };
  };
}

/** One that others do not refer to by more than its id. */
const plain: Identify = ({ stack, logicalId }) => {
  const name = physicalName(stack, logicalId, 128);
  return { name, ref: name, attributes: { Id: name, Arn: name } };
};

const arn = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT_ID}:${resource}`;
const byArn = (service: string, kind: string, attribute: string, suffix = '') =>
  function identity(name: string) {
    const own = arn(service, `${kind}/${name}${suffix}`);
    return { ref: own, attributes: { [attribute]: own } };
  };
const withId = numbered(14, (id) => ({ attributes: { Id: id.toUpperCase() }, ref: id.toUpperCase() }));

/** Name lengths: the limits in each service's API reference. */
const IDENTITIES: Readonly<Record<string, Identify>> = {
  'AWS::S3::Bucket': named('BucketName', 63, (name) => ({
    attributes: {
      Arn: `arn:aws:s3:::${name}`,
      DomainName: `${name}.s3.amazonaws.com`,
      RegionalDomainName: `${name}.s3.${REGION}.amazonaws.com`,
    },
  })),
  'AWS::SQS::Queue': named('QueueName', 80, (name, { endpoint }) => {
    const url = `${endpoint}/${ACCOUNT_ID}/${name}`;
    return { ref: url, attributes: { Arn: arn('sqs', name), QueueName: name, QueueUrl: url } };
  }),
  'AWS::DynamoDB::Table': named('TableName', 255, tableIdentity),
  'AWS::DynamoDB::GlobalTable': named('TableName', 255, tableIdentity),
  'AWS::Events::EventBus': named('Name', 256, (name) => ({
    attributes: { Arn: arn('events', `event-bus/${name}`), Name: name },
  })),
  'AWS::Events::Rule': named('Name', 64, (name, { property }) => {
    const bus = (property('EventBusName') ?? 'default').replace(/^arn:.*\//, '');
    return {
      ref: bus === 'default' ? name : `${bus}|${name}`,
      attributes: { Arn: arn('events', bus === 'default' ? `rule/${name}` : `rule/${bus}/${name}`) },
    };
  }),
  'AWS::Scheduler::Schedule': named('Name', 64, (name, { property }) => ({
    attributes: { Arn: arn('scheduler', `schedule/${property('GroupName') ?? 'default'}/${name}`) },
  })),
  'AWS::Scheduler::ScheduleGroup': named('Name', 64, (name) => ({
    attributes: { Arn: arn('scheduler', `schedule-group/${name}`) },
  })),
  'AWS::Lambda::Function': named('FunctionName', 64, (name) => ({
    attributes: { Arn: arn('lambda', `function:${name}`) },
  })),
  'AWS::IAM::Role': named('RoleName', 64, (name, { property }) => ({
    attributes: { Arn: `arn:aws:iam::${ACCOUNT_ID}:role${property('Path') ?? '/'}${name}`, RoleId: `AROA${name}` },
  })),
  'AWS::IAM::ManagedPolicy': named('ManagedPolicyName', 128, (name) => {
    const own = `arn:aws:iam::${ACCOUNT_ID}:policy/${name}`;
    return { ref: own, attributes: { PolicyArn: own } };
  }),
  'AWS::IAM::InstanceProfile': named('InstanceProfileName', 128, (name) => ({
    attributes: { Arn: `arn:aws:iam::${ACCOUNT_ID}:instance-profile/${name}` },
  })),
  'AWS::Batch::ComputeEnvironment': named(
    'ComputeEnvironmentName',
    128,
    byArn('batch', 'compute-environment', 'ComputeEnvironmentArn'),
  ),
  'AWS::Batch::JobQueue': named('JobQueueName', 128, byArn('batch', 'job-queue', 'JobQueueArn')),
  'AWS::Batch::JobDefinition': named(
    'JobDefinitionName',
    128,
    byArn('batch', 'job-definition', 'JobDefinitionArn', ':1'),
  ),
  'AWS::Batch::SchedulingPolicy': named('Name', 128, byArn('batch', 'scheduling-policy', 'Arn')),
  'AWS::ApiGatewayV2::Api': numbered(10, (id) => ({
    attributes: { ApiId: id, ApiEndpoint: `https://${id}.execute-api.${REGION}.amazonaws.com` },
  })),
  'AWS::ApiGatewayV2::Stage': named('StageName', 128, () => ({})),
  'AWS::CloudFront::Distribution': numbered(14, (id) => ({
    ref: id.toUpperCase(),
    attributes: { Id: id.toUpperCase(), DomainName: `${id}.cloudfront.net` },
  })),
  'AWS::CloudFront::Function': named('Name', 64, (name) => {
    const own = `arn:aws:cloudfront::${ACCOUNT_ID}:function/${name}`;
    return { ref: own, attributes: { FunctionARN: own, 'FunctionMetadata.FunctionARN': own } };
  }),
  'AWS::CloudFront::OriginAccessControl': withId,
  'AWS::CloudFront::CachePolicy': withId,
  'AWS::CloudFront::OriginRequestPolicy': withId,
  'AWS::CloudFront::ResponseHeadersPolicy': withId,
  'AWS::CloudFront::PublicKey': withId,
  'AWS::CloudFront::KeyGroup': withId,
  'AWS::Cognito::UserPool': numbered(9, (id) => {
    const pool = `${REGION}_${id}`;
    const provider = `cognito-idp.${REGION}.amazonaws.com/${pool}`;
    return {
      ref: pool,
      attributes: {
        UserPoolId: pool,
        Arn: arn('cognito-idp', `userpool/${pool}`),
        ProviderName: provider,
        ProviderURL: `https://${provider}`,
      },
    };
  }),
  'AWS::Cognito::UserPoolClient': numbered(26, (id) => ({ attributes: { ClientId: id, Name: id } })),
  'AWS::Cognito::UserPoolResourceServer': named('Identifier', 256, () => ({})),
  'AWS::Cognito::UserPoolDomain': named('Domain', 63, () => ({})),
  'AWS::KMS::Key': numbered(36, (id) => ({ attributes: { KeyId: id, Arn: arn('kms', `key/${id}`) } })),
  'AWS::SNS::Topic': named('TopicName', 256, (name) => ({
    ref: arn('sns', name),
    attributes: { TopicArn: arn('sns', name), TopicName: name },
  })),
  'AWS::Logs::LogGroup': named('LogGroupName', 512, (name) => ({
    attributes: { Arn: arn('logs', `log-group:${name}:*`) },
  })),
};

/** DynamoDB labels a stream with the time it was switched on; here it is always the same one. */
export const STREAM_LABEL = '2026-01-01T00:00:00.000';

function tableIdentity(name: string) {
  const own = arn('dynamodb', `table/${name}`);
  return { attributes: { Arn: own, StreamArn: `${own}/stream/${STREAM_LABEL}` } };
}

export function identify(type: string, naming: Naming): Identity {
  return (IDENTITIES[type] ?? plain)(naming);
}
