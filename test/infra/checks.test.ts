import { join } from 'node:path';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, it } from 'vitest';
import { Configuration, readConfiguration } from '../../lib/configuration.ts';
import { checkImports, checkModule } from '../../scripts/check-imports.ts';
import { checkRegex, checkSource } from '../../scripts/check-regex.ts';
import { checkTemplate } from '../../scripts/check-template.ts';
import { problemLine, type Template, type TemplateResource } from '../../scripts/template/problem.ts';
import { synthesize } from './synthesize.ts';
import { VARIANTS } from './variants.ts';

describe.each(Object.entries(VARIANTS))('the template %s', (_, configuration) => {
  let variant: Awaited<ReturnType<typeof synthesize>>;
  beforeAll(async () => {
    variant = await synthesize(configuration);
  });

  it("is clean for cdk-nag's AwsSolutions", () => {
    const { app } = variant;
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it("agrees with CloudFormation's schemas and the services' limits", async () => {
    const problems = await checkTemplate(variant.template.toJSON() as Template);
    expect(problems.map(problemLine)).toEqual([]);
  });
});

it('the last variant sets every key of the configuration that has no default', () => {
  const bare: Record<string, unknown> = readConfiguration({});
  const optional = Object.keys(Configuration.shape).filter((key) => bare[key] === undefined);
  expect(Object.keys(VARIANTS['with all that can be configured'] ?? {})).toEqual(expect.arrayContaining(optional));
  expect(optional).toEqual(expect.arrayContaining(['deliveryDomain', 'jwtIssuer', 'playbackPublicKeyPem']));
});

describe('the template check', () => {
  it('finds a topic whose policy lets no alarm publish', async () => {
    const { template: sound } = await synthesize();
    const template = structuredClone(sound.toJSON()) as Template;
    const isPolicy = ([, { Type }]: [string, TemplateResource]) => Type === 'AWS::SNS::TopicPolicy';
    const [id, policy] = Object.entries(template.Resources).filter(isPolicy)[0] ?? [];
    const document = policy?.Properties?.PolicyDocument as { Statement: { Effect: string }[] };
    document.Statement = document.Statement.filter(({ Effect }) => Effect === 'Deny');
    expect((await checkTemplate(template)).map(problemLine)).toEqual([
      `${id} (AWS::SNS::TopicPolicy) Properties.PolicyDocument: no statement lets cloudwatch.amazonaws.com publish, so that no alarm reaches the topic`,
    ]);
  });

  const queue = { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 30 } };
  const statement = (resource: unknown) => ({ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: resource });
  const role = (statements: unknown[]) => ({
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {},
      Policies: [{ PolicyName: 'p', PolicyDocument: { Statement: statements } }],
    },
  });
  const fn = (properties: Record<string, unknown>) => ({
    Type: 'AWS::Lambda::Function',
    Properties: { Code: { ZipFile: '' }, Role: 'r', ...properties },
  });

  it.each<[what: string, resource: TemplateResource, line: string]>([
    ['an unknown type', { Type: 'AWS::SQS::Cue' }, 'It (AWS::SQS::Cue): CloudFormation has no such resource type'],
    [
      'a misspelled property',
      { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeOut: 30 } },
      'It (AWS::SQS::Queue) Properties.VisibilityTimeOut: there is no such property',
    ],
    [
      'a property misspelled inside of another',
      fn({ Environment: { Variable: { A: 'b' } } }),
      'It (AWS::Lambda::Function) Properties.Environment.Variable: there is no such property',
    ],
    [
      'a missing property',
      { Type: 'AWS::Lambda::EventSourceMapping', Properties: {} },
      'It (AWS::Lambda::EventSourceMapping) Properties.FunctionName: is required',
    ],
    [
      'text for a number',
      { Type: 'AWS::SQS::Queue', Properties: { VisibilityTimeout: 'long' } },
      'It (AWS::SQS::Queue) Properties.VisibilityTimeout: must be a whole number, not "long"',
    ],
    [
      'a value that is none of the allowed',
      fn({ PackageType: 'Tar' }),
      'It (AWS::Lambda::Function) Properties.PackageType: must be one of Image, Zip, not "Tar"',
    ],
    [
      'a reference to nothing',
      { Type: 'AWS::SQS::Queue', Properties: { QueueName: { Ref: 'Gone' } } },
      'It (AWS::SQS::Queue) Properties.QueueName: refers to Gone, which is not there',
    ],
    [
      'an attribute that the resource has not',
      role([statement({ 'Fn::GetAtt': ['Other', 'Url'] })]),
      'It (AWS::IAM::Role) Properties.Policies[0].PolicyDocument.Statement[0].Resource: AWS::SQS::Queue has no attribute Url',
    ],
    [
      'a role whose policies are too large together',
      role(Array.from({ length: 60 }, () => statement({ 'Fn::GetAtt': ['Other', 'Arn'] }))),
      'It (AWS::IAM::Role) Properties.Policies: 11295 characters are more than the 10240 allowed',
    ],
    [
      'an environment of more than 4 KB',
      fn({ Environment: { Variables: { LONG: 'x'.repeat(4096) } } }),
      'It (AWS::Lambda::Function) Properties.Environment: 4100 bytes are more than the 4096 allowed',
    ],
    [
      'a function that runs for longer than Lambda lets it',
      fn({ Timeout: 901 }),
      'It (AWS::Lambda::Function) Properties.Timeout: must be from 1 to 900, not 901',
    ],
    [
      'a name that is too long',
      { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'q'.repeat(81) } },
      'It (AWS::SQS::Queue) Properties.QueueName: 81 characters are more than the 80 allowed',
    ],
    [
      'an event pattern that is too long',
      { Type: 'AWS::Events::Rule', Properties: { EventPattern: { source: ['x'.repeat(2048)] } } },
      'It (AWS::Events::Rule) Properties.EventPattern: 2063 characters are more than the 2048 allowed',
    ],
    [
      'a sixth condition of evaluateOnExit',
      {
        Type: 'AWS::Batch::JobDefinition',
        Properties: {
          Type: 'container',
          RetryStrategy: { EvaluateOnExit: Array.from({ length: 6 }, () => ({ Action: 'RETRY', OnExitCode: '1' })) },
        },
      },
      'It (AWS::Batch::JobDefinition) Properties.RetryStrategy.EvaluateOnExit: 6 conditions are more than the 5 allowed',
    ],
  ])('names %s', async (_what, resource, line) => {
    const problems = await checkTemplate({ Resources: { It: resource, Other: queue } });
    expect(problems.map(problemLine)).toEqual([line]);
  });
});

describe('the directions of imports', () => {
  it('are kept by every module', async () => {
    expect(await checkImports(join(import.meta.dirname, '../..'))).toEqual([]);
  });

  it.each([
    ['core/media/plan.ts', "import { readFile } from 'node:fs/promises';", 'core/media/plan.ts → node:fs/promises'],
    ['core/media/plan.ts', "import { head } from '../../aws/s3.ts';", 'core/media/plan.ts → ../../aws/s3.ts'],
    ['core/jobs/end.ts', 'const now = Date.now();', 'core/jobs/end.ts → Date.now('],
    ['core/jobs/end.ts', "import { sniff } from '../media/sniff.ts';", 'core/jobs/end.ts → ../media/sniff.ts'],
    ['core/contracts/job.ts', "import { newJob } from '../jobs/start.ts';", 'core/contracts/job.ts → ../jobs/start.ts'],
    ['functions/api/app.ts', "import { sweep } from '../sweep/sweep.ts';", 'functions/api/app.ts → ../sweep/sweep.ts'],
    ['functions/api/app.ts', "await import('../../lib/api/api.ts');", 'functions/api/app.ts → ../../lib/api/api.ts'],
    [
      'lib/api/api.ts',
      "import type {\n  Rung,\n} from '../../core/media/plan.ts';",
      'lib/api/api.ts → ../../core/media/plan.ts',
    ],
    ['local/boot.ts', "export * from '../aws/s3.ts';", 'local/boot.ts → ../aws/s3.ts'],
    ['local/boot.ts', "import { Job } from '../core/contracts/job.ts';", 'local/boot.ts → ../core/contracts/job.ts'],
    [
      'local/boot.ts',
      "import { smallCloud } from './test/support/small-cloud.ts';",
      'local/boot.ts → ./test/support/small-cloud.ts',
    ],
    ['local/boot.ts', "import { execa } from 'execa';", 'local/boot.ts → execa'],
    ['local/boot.ts', "import { test } from 'vitest';", 'local/boot.ts → vitest'],
    ['cli/main.ts', "import '../test/support/media.ts';", 'cli/main.ts → ../test/support/media.ts'],
    ['client/client.ts', "import { readFile } from 'node:fs/promises';", 'client/client.ts → node:fs/promises'],
    ['client/client.ts', "import '../core/api/views.ts';", 'client/client.ts → ../core/api/views.ts'],
    ['cli/main.ts', "import '../core/api/operations.ts';", 'cli/main.ts → ../core/api/operations.ts'],
    ['scripts/demo.ts', "import '../test/e2e/cli.test.ts';", 'scripts/demo.ts → ../test/e2e/cli.test.ts'],
    ['bench/api.ts', "import '../test/unit/a.ts';", 'bench/api.ts → ../test/unit/a.ts'],
    ['test/unit/a.test.ts', "import '../../bench/api.ts';", 'test/unit/a.test.ts → ../../bench/api.ts'],
  ])('in %s, %s is refused', (file, source, line) => {
    expect(checkModule(file, source)).toEqual([line]);
  });

  it.each([
    ['core/media/plan.ts', "import { z } from 'zod';\nimport { Job } from '../contracts/job.ts';"],
    [
      'functions/api/routes/media.ts',
      "import { call } from '../call.ts';\nimport { lambda } from '../../shared/observability.ts';",
    ],
    ['lib/api/api.ts', "import { PRESETS } from '../../core/contracts/presets.ts';"],
    ['core/media/plan.ts', "// import { x } from '../../aws/s3.ts'\nconst text = `import from 'b'`;"],
    ['test/e2e/demo.test.ts', "import { boot } from '../../local/boot.ts';"],
    ['client/client.ts', "import { z } from 'zod';\nimport { OPERATIONS } from '../core/api/operations.ts';"],
    ['cli/main.ts', "import { spawn } from 'node:child_process';\nimport { Client } from '../client/client.ts';"],
    ['local/test/unit/a.test.ts', "import { test } from 'vitest';\nimport { join } from 'node:path';"],
    ['bench/api.ts', "import { apiAs } from '../test/support/api.ts';"],
    ['scripts/check-iam.ts', "import { representativeRun } from '../test/support/representative-run.ts';"],
  ])('in %s, %s is allowed', (file, source) => {
    expect(checkModule(file, source)).toEqual([]);
  });
});

describe('the check of regular expressions', () => {
  it('finds none in the product that backtracks on a hostile text', async () => {
    expect(await checkRegex(join(import.meta.dirname, '../..'))).toEqual([]);
  });

  it.each([
    ['nested quantifiers', '/(a+)+b/'],
    ['a lazy part that may run over its own end', '/^(?:<!--[\\s\\S]*?-->\\s*)*<MPD/'],
    ['neighbours of one alphabet', '/\\d+\\d+\\d+x/'],
  ])('refuses %s', async (_, pattern) => {
    expect(await checkSource('a.ts', `export const pattern: RegExp = ${pattern};`)).toHaveLength(1);
  });

  it('accepts an unambiguous pattern, and tells it from a division', async () => {
    expect(
      await checkSource('a.ts', 'export const half = (a: number, b: number) => a / b / /^[a-z]+$/.lastIndex;'),
    ).toEqual([]);
  });
});
