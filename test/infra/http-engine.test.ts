import type { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { functionNamed, roleStatements, synthesize } from './synthesize.ts';

const SECRET = 'dropreel/http-engine';
const CONNECTED = ['ingest-upload', 'track-job', 'sweep', 'api'];

let template: Template;
beforeAll(async () => {
  ({ template } = await synthesize({ httpEngine: { url: 'https://api.runpod.ai/v2/abc', secret: SECRET } }));
});

const roleOf = (name: string): string => functionNamed(template, name).properties.Role['Fn::GetAtt'][0];
const granting = (action: string) =>
  roleStatements(template).filter(({ statement }) => [statement.Action].flat().includes(action));
const isWorkerRole = (role: string) => role.startsWith('HttpEngineWorkerRole');

describe('a deployment with an HTTP endpoint', () => {
  it('connects four functions with it, whose address is without credentials', () => {
    for (const name of CONNECTED) {
      expect(functionNamed(template, name).properties.Environment.Variables).toMatchObject({
        HTTP_ENGINE_URL: 'https://api.runpod.ai/v2/abc',
        HTTP_ENGINE_SECRET: SECRET,
        HTTP_ENGINE_ROLE_ARN: { 'Fn::GetAtt': [expect.stringMatching(/^HttpEngineWorkerRole/), 'Arn'] },
      });
    }
  });

  it('lets those four read its key, and the two that submit without being the API derive the secrets of jobs', () => {
    const readers = granting('secretsmanager:GetSecretValue').filter(({ statement }) =>
      JSON.stringify(statement.Resource).includes(`:secret:${SECRET}-??????`),
    );
    expect(readers.map(({ role }) => role).sort()).toEqual(CONNECTED.map(roleOf).sort());
    const deriving = roleStatements(template).filter(({ statement }) =>
      JSON.stringify(statement.Condition ?? '').includes('"SECRET*"'),
    );
    expect(deriving.map(({ role }) => role).sort()).toEqual([roleOf('ingest-upload'), roleOf('sweep')].sort());
  });

  it('lets the API alone assume the role that signs for workers, which reaches drops, outputs and tmp/ only', () => {
    const assuming = granting('sts:AssumeRole').filter(({ statement }) =>
      JSON.stringify(statement.Resource).includes('HttpEngineWorkerRole'),
    );
    expect(assuming.map(({ role }) => role)).toEqual([roleOf('api')]);
    const [worker] = Object.entries(template.findResources('AWS::IAM::Role')).filter(([role]) => isWorkerRole(role));
    const [trust] = worker?.[1].Properties.AssumeRolePolicyDocument.Statement ?? [];
    expect(trust.Principal).toEqual({ AWS: { 'Fn::GetAtt': [roleOf('api'), 'Arn'] } });
    const allowed = roleStatements(template)
      .filter(({ role }) => isWorkerRole(role))
      .flatMap(({ statement }) => [statement.Action].flat());
    expect([...new Set(allowed)].sort()).toEqual([
      's3:AbortMultipartUpload',
      's3:GetObject',
      's3:GetObjectVersion',
      's3:ListBucket',
      's3:PutObject',
    ]);
  });

  it('opens three routes to its workers and its webhook beside the pages and the descriptions, and no other', () => {
    const open = Object.values(template.findResources('AWS::ApiGatewayV2::Route'))
      .filter(({ Properties }) => Properties.AuthorizationType === 'NONE')
      .map(({ Properties }) => Properties.RouteKey);
    expect(open.sort()).toEqual([
      'GET /console/{proxy+}',
      'GET /embed/{creatorId}/{mediaId}',
      'GET /oembed',
      'GET /openapi.json',
      'HEAD /console/{proxy+}',
      'HEAD /embed/{creatorId}/{mediaId}',
      'POST /engine-callbacks/{jobId}',
      'POST /engine-jobs/{jobId}/hint',
      'POST /engine-jobs/{jobId}/progress',
      'POST /engine-jobs/{jobId}/urls',
    ]);
  });
});
