import { expect, test } from 'vitest';
import { readDefinitions } from '../../../services/batch/template.ts';

const none = { computeEnvironments: [], jobQueues: [], jobDefinitions: [], schedulingPolicies: [] };
const arn = 'arn:aws:batch:us-east-1:123456789012:job-definition/worker:7';
const definition = (properties: object, container: object = {}) => ({
  ...none,
  jobDefinitions: [
    { arn, properties: { Type: 'container', ContainerProperties: { Image: 'i', ...container }, ...properties } },
  ],
});

test('name and revision of a job definition are read from its ARN', () => {
  const { jobDefinitions } = readDefinitions(definition({}));
  expect(jobDefinitions[0]).toMatchObject({ arn, name: 'worker', revision: 7 });
});

test('an unsupported property is an error that names resource and property', () => {
  expect(() => readDefinitions(definition({ NodeProperties: {} }))).toThrow(
    /job-definition\/worker:7: .*Unrecognized key: "NodeProperties"/,
  );
  expect(() => readDefinitions(definition({}, { Secrets: [] }))).toThrow(/"Secrets"[\s\S]*at ContainerProperties/);
});

test('an environment name that AWS Batch reserves is refused', () => {
  expect(() => readDefinitions(definition({}, { Environment: [{ Name: 'AWS_BATCH_JOB_ID', Value: 'x' }] }))).toThrow(
    'the environment name AWS_BATCH_JOB_ID is reserved by AWS Batch',
  );
});

test('a timeout below a minute is refused', () => {
  expect(() => readDefinitions(definition({ Timeout: { AttemptDurationSeconds: 59 } }))).toThrow(/at Timeout/);
});

test.each([
  [{ OnStatusReason: '*Spot*' }, 'OnStatusReason'],
  [{ OnReason: 'Cannot*Error*' }, 'OnReason'],
  [{ OnReason: 'killed (137)' }, 'OnReason'],
  [{ OnExitCode: '-1' }, 'OnExitCode'],
])('a condition that AWS Batch does not support is refused: %o', (condition, field) => {
  const retry = { Attempts: 2, EvaluateOnExit: [{ Action: 'RETRY', ...condition }] };
  expect(() => readDefinitions(definition({ RetryStrategy: retry }))).toThrow(`EvaluateOnExit[0].${field}`);
});

test.each([
  ['a volume with a host', { Volumes: [{ Name: 'scratch', Host: { SourcePath: '/data' } }] }, 'a volume has no Host'],
  ['a GPU', { ResourceRequirements: [{ Type: 'GPU', Value: 1 }] }, 'Fargate has no GPUs'],
])('%s is refused on Fargate, and taken on EC2', (_, container, why) => {
  const on = (platform: string) => readDefinitions(definition({ PlatformCapabilities: [platform] }, container));
  expect(on('EC2').jobDefinitions).toHaveLength(1);
  expect(() => on('FARGATE')).toThrow(why);
});
