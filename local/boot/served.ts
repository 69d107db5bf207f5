import { IAM_TYPES } from '../iam/template.ts';

/** Resource type → the folder of the service that stands in for it. */
const SERVED: Readonly<Record<string, readonly string[]>> = {
  iam: IAM_TYPES,
  s3: ['AWS::S3::Bucket', 'AWS::S3::BucketPolicy'],
  sqs: ['AWS::SQS::Queue', 'AWS::SQS::QueuePolicy'],
  dynamodb: ['AWS::DynamoDB::Table'],
  events: ['AWS::Events::EventBus', 'AWS::Events::Rule'],
  scheduler: ['AWS::Scheduler::Schedule'],
  lambda: [
    'AWS::Lambda::Function',
    'AWS::Lambda::Permission',
    'AWS::Lambda::EventInvokeConfig',
    'AWS::Lambda::EventSourceMapping',
  ],
  batch: [
    'AWS::Batch::ComputeEnvironment',
    'AWS::Batch::JobQueue',
    'AWS::Batch::JobDefinition',
    'AWS::Batch::SchedulingPolicy',
  ],
  'http-api': [
    'AWS::ApiGatewayV2::Api',
    'AWS::ApiGatewayV2::Route',
    'AWS::ApiGatewayV2::Integration',
    'AWS::ApiGatewayV2::Authorizer',
    'AWS::ApiGatewayV2::Stage',
  ],
  delivery: [
    'AWS::CloudFront::Distribution',
    'AWS::CloudFront::OriginAccessControl',
    'AWS::CloudFront::ResponseHeadersPolicy',
    'AWS::CloudFront::CachePolicy',
    'AWS::CloudFront::OriginRequestPolicy',
    'AWS::CloudFront::PublicKey',
    'AWS::CloudFront::KeyGroup',
    'AWS::CloudFront::Function',
  ],
  cognito: [
    'AWS::Cognito::UserPool',
    'AWS::Cognito::UserPoolClient',
    'AWS::Cognito::UserPoolResourceServer',
    'AWS::Cognito::UserPoolDomain',
  ],
};

export const SERVED_TYPES: ReadonlySet<string> = new Set(Object.values(SERVED).flat());
