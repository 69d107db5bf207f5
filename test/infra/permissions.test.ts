import type { Template } from 'aws-cdk-lib/assertions';
import { beforeAll, describe, expect, it } from 'vitest';
import { FUNCTIONS, functionNamed, roleStatements, synthesize } from './synthesize.ts';

let template: Template;
beforeAll(async () => {
  ({ template } = await synthesize());
});

/** Calls for which AWS knows no resource. */
const WITHOUT_RESOURCE = [
  'batch:DescribeComputeEnvironments',
  'batch:DescribeJobs',
  'batch:ListJobs',
  'cloudwatch:GetMetricData',
  'dynamodb:ListStreams',
  'ecr:GetAuthorizationToken',
];

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

  it('are for all resources only where AWS has no resource level', () => {
    const actions = roleStatements(template)
      .filter(({ statement }) => [statement.Resource].flat().includes('*'))
      .flatMap(({ statement }) => statement.Action);
    expect([...new Set(actions)].sort()).toEqual(WITHOUT_RESOURCE);
  });

  it("for a part of a resource's names end in one of these patterns", () => {
    const arns = roleStatements(template)
      .flatMap(({ statement }) => [statement.Resource].flat())
      .map((resource) => JSON.stringify(resource))
      .filter((text) => text.includes('*') && text !== '"*"');
    const tails = arns.map((text) => /"([:/][^"]*)"\]\]\}$/.exec(text)?.[1]);
    expect([...new Set(tails)].sort()).toEqual([
      '/*/hls/*',
      '/*/hls/*/manifest.mpd',
      '/*/hls/*/master.m3u8',
      '/*/hls/*/preview/preview.m3u8',
      '/*/mp4/*',
      '/*/mp4/*.mp4',
      '/*/mp4/*/video.mp4',
      '/*/thumbnails/*',
      '/*/thumbnails/media/*/auto-generated.jpg',
      '/*/thumbnails/media/*/poster-large.jpg',
      '/*/thumbnails/media/*/poster.jpg',
      '/*/waveforms/*',
      '/*/waveforms/*/waveform.json',
      '/archive/*',
      '/drop/*',
      '/private/*/hls/manifest.mpd',
      '/private/*/hls/master.m3u8',
      '/private/*/hls/preview/preview.m3u8',
      '/private/*/thumbnails/auto-generated.jpg',
      '/private/*/thumbnails/poster-large.jpg',
      '/private/*/thumbnails/poster.jpg',
      '/private/*/waveforms/waveform.json',
      '/tmp/*',
      '/tmp/*/archive.mov',
      '/tmp/*/archive.mp4',
      '/tmp/*/claim.json',
      '/tmp/*/prepared.json',
      '/tmp/*/result.json',
      ':*',
      ':job/*',
    ]);
  });

  it('are a role for each function', () => {
    expect(new Set(FUNCTIONS.map(roleOf)).size).toBe(FUNCTIONS.length);
  });

  it('let each function write its own log, and the agent that starts workers write theirs', () => {
    const job = Object.values(template.findResources('AWS::Batch::JobDefinition'))[0]?.Properties.ContainerProperties;
    const writers = [
      ...Object.values(template.findResources('AWS::Lambda::Function')).map(({ Properties }) => ({
        role: Properties.Role['Fn::GetAtt'][0],
        log: Properties.LoggingConfig.LogGroup.Ref,
      })),
      { role: job.ExecutionRoleArn['Fn::GetAtt'][0], log: job.LogConfiguration.Options['awslogs-group'].Ref },
    ];
    expect(writers).toHaveLength(FUNCTIONS.length + 1);
    const granted = roleStatements(template)
      .filter(({ statement }) => [statement.Action].flat().includes('logs:PutLogEvents'))
      .map(({ role, statement }) => ({
        role,
        actions: [statement.Action].flat().sort(),
        resource: statement.Resource,
      }));
    expect(granted).toEqual(
      expect.arrayContaining(
        writers.map(({ role, log }) => ({
          role,
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
          resource: { 'Fn::GetAtt': [log, 'Arn'] },
        })),
      ),
    );
    expect(granted).toHaveLength(writers.length);
  });

  it('let the worker write under tmp/ and nowhere else', () => {
    const worker = roleStatements(template).filter(({ role }) => role.includes('JobRole'));
    const writes = worker.filter(({ statement }) => [statement.Action].flat().includes('s3:PutObject'));
    expect(writes.map(({ statement }) => JSON.stringify(statement.Resource))).toEqual([
      expect.stringMatching(/StorageMedia\w+","Arn"\]\},"\/tmp\/\*"\]\]\}$/),
    ]);
    expect(worker.flatMap(({ statement }) => statement.Action)).not.toContain('s3:DeleteObject');
  });

  it.each([
    ['worker', (role: string) => role.includes('JobRole'), 'dropreel.worker', 'Job Progress'],
    [
      'announce-change',
      (role: string) => role === roleOf('announce-change'),
      'dropreel',
      ['Media State Changed', 'Media Counts Changed'],
    ],
  ])('let %s put events of its own detail types only', (_, isIts, source, detailType) => {
    const puts = roleStatements(template).filter(
      ({ role, statement }) => isIts(role) && [statement.Action].flat().includes('events:PutEvents'),
    );
    expect(puts.map(({ statement }) => statement.Condition)).toEqual([
      { StringEquals: { 'events:source': source, 'events:detail-type': detailType } },
    ]);
  });

  it.each([
    ['ingest-upload', ['MEDIA#*', 'CREATOR#*', 'ENGINES*', 'BAD-KEYS*']],
    ['track-job', ['MEDIA#*', 'CREATOR#*', 'ENGINES*']],
    ['publish-output', ['MEDIA#*', 'CREATOR#*']],
    ['sweep', ['MEDIA#*', 'CREATOR#*', 'SWEEP#*', 'WEBHOOK#*', 'ENGINES*']],
    ['fan-out-change', ['WEBHOOKS#*', 'WEBHOOK#*', 'MEDIA#*', 'COUNTS*', 'SHARE#*', 'HEALTH*', 'ENGINES*', 'COSTS#*']],
    ['deliver-webhook', ['WEBHOOKS#*', 'WEBHOOK#*']],
  ])('let %s read and write rows of these partitions of the table only: %j', (name, partitions) => {
    const rows = roleStatements(template).filter(
      ({ role, statement }) =>
        role === roleOf(name) &&
        /"Fn::GetAtt":\["StorageTable\w+","Arn"\]\}$/.test(JSON.stringify(statement.Resource)) &&
        JSON.stringify(statement.Action).includes('dynamodb:'),
    );
    const keys = rows.map(({ statement }) => Object(statement.Condition)['ForAllValues:StringLike']);
    expect(keys.flatMap((condition) => [condition['dynamodb:LeadingKeys']].flat())).toEqual(partitions);
    expect(actionsOf(roleOf(name))).not.toContain('dynamodb:Scan');
  });

  it('let sweep alone submit to the queue of re-transcodes, but for track-job, which goes on with a film in chunks', () => {
    const submitting = roleStatements(template).filter(
      ({ statement }) =>
        [statement.Action].flat().includes('batch:SubmitJob') &&
        JSON.stringify(statement.Resource).includes('RetranscodeJobQueue'),
    );
    expect(submitting.map(({ role }) => role).sort()).toEqual([roleOf('sweep'), roleOf('track-job')].sort());
  });

  it('let only the worker write under tmp/', () => {
    const writing = roleStatements(template).filter(
      ({ statement }) =>
        [statement.Action].flat().includes('s3:PutObject') &&
        /"\/(\*|tmp[^"]*)"/.test(JSON.stringify(statement.Resource)),
    );
    expect(writing.map(({ role }) => role)).toEqual([expect.stringContaining('JobRole')]);
  });

  it('let the sweep schedule invoke sweep and nothing else', () => {
    const role = Object.values(template.findResources('AWS::Scheduler::Schedule')).map(
      ({ Properties }) => Properties.Target.RoleArn['Fn::GetAtt'][0],
    );
    expect(role.flatMap(actionsOf)).toEqual(['lambda:InvokeFunction', 'sqs:SendMessage']);
  });

  it.each([
    'ecs-tasks.amazonaws.com',
    'scheduler.amazonaws.com',
  ])('can be taken by %s for this account only', (service) => {
    const trusting = Object.entries(template.findResources('AWS::IAM::Role')).flatMap(([role, { Properties }]) =>
      Properties.AssumeRolePolicyDocument.Statement.filter(
        ({ Principal }: { Principal: { Service?: string } }) => Principal.Service === service,
      ).map(({ Condition }: { Condition?: unknown }) => [role, Condition]),
    );
    expect(trusting.length).toBeGreaterThan(0);
    for (const [, condition] of trusting) {
      expect(condition).toEqual({ StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } });
    }
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
