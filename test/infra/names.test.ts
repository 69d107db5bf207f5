import type { Template } from 'aws-cdk-lib/assertions';
import { expect, it } from 'vitest';
import { synthesize } from './synthesize.ts';

/** Names inside of a resource, or of something that belongs to one: any number of deployments may have the same. */
const SCOPED = [
  // Of attributes, metrics, ports: not of the resource itself.
  /^AWS::DynamoDB::Table .*\b(AttributeName|IndexName)$/,
  /^AWS::CloudWatch::Alarm .*\b(MetricName|Dimensions\.\d+\.Name)$/,
  /^AWS::Batch::JobDefinition .*\bName$/,
  /^AWS::IAM::Role Policies\.\d+\.PolicyName$/,
  /^AWS::CloudFront::Distribution /,
  /^AWS::SQS::Queue .*\bName$/,
  // Of one role, API, pool or bus.
  /^AWS::IAM::Policy PolicyName$/,
  /^AWS::ApiGatewayV2::Stage StageName$/,
  /^AWS::ApiGatewayV2::Authorizer Name$/,
  /^AWS::Cognito::UserPoolResourceServer (Name|Scopes\.\d+\.ScopeName)$/,
  /^AWS::Cognito::UserPool .*\bName$/,
  // API Gateway tells APIs apart by their ids: "The name of the API" need not be unique.
  /^AWS::ApiGatewayV2::Api Name$/,
  // Of a service.
  /^AWS::EC2::VPCEndpoint ServiceName$/,
];

type Found = Record<string, string>;

/** Every property of a template that ends in `Name`, and Cognito's `Domain`, as `{type} {path}` of each resource. */
function namesOf(template: Template): Found {
  const found: Found = {};
  const walk = (where: string, value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      const path = where.endsWith(' ') ? `${where}${key}` : `${where}.${key}`;
      if (/Name$|^Domain$/.test(key)) found[path] = JSON.stringify(item);
      else walk(path, item);
    }
  };
  for (const [id, { Type, Properties = {} }] of Object.entries(
    template.toJSON().Resources as Record<string, { Type: string; Properties?: object }>,
  )) {
    walk(`${id}: ${Type} `, Properties);
  }
  return found;
}

/** Whether it holds the name or id of another resource of its stack, and so is as unique as that. */
const fromItsStack = (value: string) => /"Ref":"(?!AWS::)|"Fn::GetAtt"/.test(value);
const isScoped = (path: string) => SCOPED.some((pattern) => pattern.test(path.replace(/^\w+: /, '')));

const KEY = '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n';
const PRIVATE = { playbackPublicKeyPem: KEY, playbackPrivateKeySecret: 'dropreel/key' };

it('two deployments of different names share no resource name in a region, and one name in two regions shares none in CloudFront', async () => {
  const stacks = await Promise.all(['dropreel', 'dropreel-staging'].map((name) => synthesize({ name, ...PRIVATE })));
  expect(stacks.map(({ stackName }) => stackName)).toEqual(['Dropreel', 'Dropreel-staging']);
  const [production = {}, staging = {}] = stacks.map(({ template }) => namesOf(template));
  const own = Object.entries(production).filter(([path, value]) => !isScoped(path) && !fromItsStack(value));
  const same = own.filter(([path, value]) => staging[path] === value);
  expect(same).toEqual([]);
  expect(own.length).toBeGreaterThan(20);
  // CloudFront's names are unique in the account: https://docs.aws.amazon.com/AmazonCloudFront/latest/APIReference/API_CreateResponseHeadersPolicy.html
  const global = own.filter(([path]) => path.includes('AWS::CloudFront::'));
  expect(global.filter(([, value]) => !value.includes('{"Ref":"AWS::Region"}'))).toEqual([]);
  expect(global.map(([path]) => path.replace(/^\w+: AWS::CloudFront::(\w+) .*$/, '$1')).sort()).toEqual([
    'Function',
    'Function',
    'Function',
    'Function',
    'KeyGroup',
    'OriginAccessControl',
    'PublicKey',
    'ResponseHeadersPolicy',
  ]);
});
