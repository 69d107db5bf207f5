import { join } from 'node:path';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkImports, checkModule } from '../../scripts/check-imports.ts';
import { checkTemplate } from '../../scripts/check-template.ts';
import { problemLine, type Template, type TemplateResource } from '../../scripts/template/problem.ts';
import { synthesize } from './synthesize.ts';

let synthesized: Awaited<ReturnType<typeof synthesize>>;
beforeAll(async () => {
  synthesized = await synthesize();
});

describe('the template', () => {
  it("is clean for cdk-nag's AwsSolutions", () => {
    const { app } = synthesized;
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it("agrees with CloudFormation's schemas and the services' limits", async () => {
    const problems = await checkTemplate(synthesized.template.toJSON() as Template);
    expect(problems.map(problemLine)).toEqual([]);
  });
});

describe('the template check', () => {
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
    ['functions/api/app.ts', "import { sweep } from '../sweep/sweep.ts';", 'functions/api/app.ts → ../sweep/sweep.ts'],
    ['functions/api/app.ts', "await import('../../lib/api/api.ts');", 'functions/api/app.ts → ../../lib/api/api.ts'],
    [
      'lib/api/api.ts',
      "import type {\n  Rung,\n} from '../../core/media/plan.ts';",
      'lib/api/api.ts → ../../core/media/plan.ts',
    ],
    ['local/boot.ts', "export * from '../aws/s3.ts';", 'local/boot.ts → ../aws/s3.ts'],
    ['cli/main.ts', "import '../test/helpers/media.ts';", 'cli/main.ts → ../test/helpers/media.ts'],
  ])('in %s, %s is refused', (file, source, line) => {
    expect(checkModule(file, source)).toEqual([line]);
  });

  it.each([
    ['core/media/plan.ts', "import { z } from 'zod';\nimport { Job } from '../contracts/job.ts';"],
    [
      'functions/api/routes/media.ts',
      "import { call } from '../call.ts';\nimport { stack } from '../../shared/stack.ts';",
    ],
    ['lib/api/api.ts', "import { PRESETS } from '../../core/media/presets.ts';"],
    ['core/media/plan.ts', "// import { x } from '../../aws/s3.ts'\nconst text = `import from 'b'`;"],
    ['test/e2e/demo.test.ts', "import { boot } from '../../local/boot.ts';"],
  ])('in %s, %s is allowed', (file, source) => {
    expect(checkModule(file, source)).toEqual([]);
  });
});
