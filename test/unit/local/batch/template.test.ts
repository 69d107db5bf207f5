import { expect, test } from 'vitest';
import { readDefinitions } from '../../../../local/batch/template.ts';

const none = { computeEnvironments: [], jobQueues: [], jobDefinitions: [], schedulingPolicies: [] };
const arn = 'arn:aws:batch:us-east-1:123456789012:job-definition/worker:7';
const definition = (properties: object, container: object = {}) => ({
  ...none,
  jobDefinitions: [
    { arn, properties: { Type: 'container', ContainerProperties: { Image: 'i', ...container }, ...properties } },
  ],
});

test('name and revision of a job definition come from its ARN', () => {
  const { jobDefinitions } = readDefinitions(definition({}));
  expect(jobDefinitions[0]).toMatchObject({ arn, name: 'worker', revision: 7 });
});

test('a property that is not served is an error that names resource and property', () => {
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
