import type { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { FUNCTIONS, functionNamed, roleStatements, synthesize } from './synthesize.ts';

let template: Template;
beforeAll(async () => {
  ({ template } = await synthesize());
});

/** Calls for which AWS knows no resource. */
const WITHOUT_RESOURCE = ['batch:DescribeJobs', 'batch:ListJobs', 'dynamodb:ListStreams', 'ecr:GetAuthorizationToken'];

const actionsOf = (role: string) =>
  roleStatements(template)
    .filter((row) => row.role === role)
    .flatMap(({ statement }) => statement.Action);

function roleOf(name: string): string {
  return functionNamed(template, name).properties.Role['Fn::GetAtt'][0];
}

describe('permissions', () => {
  it('name every action: none has a wildcard', () => {
    const actions = roleStatements(template).flatMap(({ statement }) => statement.Action);
    expect(actions.length).toBeGreaterThan(30);
    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });

  it('are for all resources only where AWS knows none', () => {
    const actions = roleStatements(template)
      .filter(({ statement }) => [statement.Resource].flat().includes('*'))
      .flatMap(({ statement }) => statement.Action);
    expect([...new Set(actions)].sort()).toEqual(WITHOUT_RESOURCE);
  });

  it('for some of a kind end in one of these patterns', () => {
    const arns = roleStatements(template)
      .flatMap(({ statement }) => [statement.Resource].flat())
      .map((resource) => JSON.stringify(resource))
      .filter((text) => text.includes('*') && text !== '"*"');
    const tails = arns.map((text) => /"([:/][^"]*)"\]\]\}$/.exec(text)?.[1]);
    expect([...new Set(tails)].sort()).toEqual([
      '/*',
      '/*/hls/*',
      '/*/hls/*/master.m3u8',
      '/*/hls/*/preview/preview.m3u8',
      '/*/mp4/*.mp4',
      '/*/thumbnails/media/*.jpg',
      '/*/waveforms/*/waveform.json',
      '/drop/*',
      '/tmp/*',
      '/tmp/*/claim.json',
      '/tmp/*/result.json',
      ':job/*',
    ]);
  });

  it('are a role for each function', () => {
    expect(new Set(FUNCTIONS.map(roleOf)).size).toBe(FUNCTIONS.length);
  });

  it('let the worker write under tmp/ and nowhere else', () => {
    const worker = roleStatements(template).filter(({ role }) => role.includes('JobRole'));
    const writes = worker.filter(({ statement }) => [statement.Action].flat().includes('s3:PutObject'));
    expect(writes.map(({ statement }) => JSON.stringify(statement.Resource))).toEqual([
      expect.stringMatching(/StorageMedia\w+","Arn"\]\},"\/tmp\/\*"\]\]\}$/),
    ]);
    expect(worker.flatMap(({ statement }) => statement.Action)).not.toContain('s3:DeleteObject');
  });

  it('let the sweep schedule invoke sweep and nothing else', () => {
    const role = Object.values(template.findResources('AWS::Scheduler::Schedule')).map(
      ({ Properties }) => Properties.Target.RoleArn['Fn::GetAtt'][0],
    );
    expect(role.flatMap(actionsOf)).toEqual(['lambda:InvokeFunction', 'sqs:SendMessage']);
  });

  it('refuse plain HTTP at every bucket and queue', () => {
    for (const [type, owned] of [
      ['AWS::S3::BucketPolicy', 'AWS::S3::Bucket'],
      ['AWS::SQS::QueuePolicy', 'AWS::SQS::Queue'],
    ] as const) {
      const policies = Object.values(template.findResources(type));
      expect(policies.length).toBe(Object.keys(template.findResources(owned)).length);
      for (const { Properties } of policies) {
        expect(Properties.PolicyDocument.Statement).toContainEqual(
          expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
        );
      }
    }
  });
});
