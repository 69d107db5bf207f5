import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RESOURCE_TYPES } from '../../../plugins.ts';
import { type LoadOptions, loadTemplate } from '../../../template/load.ts';
import { physicalName } from '../../../template/names.ts';
import { type SmallAssembly, writeAssembly } from '../../support/small-cloud.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dropreel-template-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function load(assembly: SmallAssembly, options: Partial<LoadOptions> = {}) {
  await writeAssembly(directory, assembly);
  return loadTemplate({
    assembly: directory,
    endpoint: 'http://127.0.0.1:4566',
    types: RESOURCE_TYPES,
    hosts: () => new Map(),
    ...options,
  });
}

describe('names', () => {
  test('of a resource without one is made of stack and logical id, in lower case', async () => {
    const { resources } = await load({ resources: { WorkQueue1A2B: { Type: 'AWS::SQS::Queue' } } });
    expect(resources[0]).toMatchObject({
      name: 'small-workqueue1a2b',
      ref: 'http://127.0.0.1:4566/123456789012/small-workqueue1a2b',
      attributes: { Arn: 'arn:aws:sqs:us-east-1:123456789012:small-workqueue1a2b' },
    });
  });

  test('in the template are kept, with intrinsic functions resolved', async () => {
    const { resources } = await load({
      resources: { Q: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::Sub': `q-\${AWS::Region}` } } } },
    });
    expect(resources[0]?.name).toBe('q-us-east-1');
  });

  test('that are too long are cut, and differ all the same', () => {
    const [one, other] = ['A', 'B'].map((end) => physicalName('stack', `${'Long'.repeat(20)}${end}`, 63));
    expect(one).toHaveLength(63);
    expect(one).not.toBe(other);
    expect(one).toMatch(/^stack-longlong[a-z0-9-]+$/);
  });
});

describe('refused templates', () => {
  test('have all their unsupported resources named in one error', async () => {
    const resources = {
      Topic: { Type: 'AWS::Kinesis::Stream' },
      Queue: { Type: 'AWS::SQS::Queue', Properties: { DelaySeconds: { Ref: 'Missing' } } },
      Dashboard: {
        Type: 'AWS::CloudWatch::Dashboard',
        Properties: { X: { 'Fn::ImportValue': 'inert types are not looked at' } },
      },
    };
    await expect(load({ resources })).rejects.toMatchObject({
      name: 'TemplateProblems',
      problems: [
        'Topic: the resource type AWS::Kinesis::Stream is not served',
        'Queue.DelaySeconds: there is no resource Missing',
      ],
    });
  });

  test('include one with an attribute that the type does not have', async () => {
    const outputs = { Url: { Value: { 'Fn::GetAtt': ['Bucket', 'WebsiteURL'] } } };
    await expect(load({ resources: { Bucket: { Type: 'AWS::S3::Bucket' } }, outputs })).rejects.toThrow(
      'output Url: the attribute WebsiteURL of Bucket (AWS::S3::Bucket) is not served',
    );
  });

  test('include one with a name that depends on itself', async () => {
    const resources = {
      A: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::GetAtt': ['B', 'QueueName'] } } },
      B: { Type: 'AWS::SQS::Queue', Properties: { QueueName: { 'Fn::GetAtt': ['A', 'QueueName'] } } },
    };
    await expect(load({ resources })).rejects.toThrow(/the name of [AB] depends on itself/);
  });
});

test('resources and outputs whose condition is false are left out', async () => {
  const { resources, outputs } = await load({
    more: { Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } } },
    resources: {
      Kept: { Type: 'AWS::SQS::Queue' },
      Left: { Type: 'AWS::Kinesis::Stream', Condition: 'Never' },
    },
    outputs: { Left: { Value: 'x', Condition: 'Never' }, Kept: { Value: { Ref: 'Kept' } } },
  });
  expect(resources.map(({ logicalId }) => logicalId)).toEqual(['Kept']);
  expect(Object.keys(outputs)).toEqual(['Kept']);
});

test('the host names of AWS become local ones, over plain HTTP', async () => {
  const { outputs } = await load(
    {
      resources: { Site: { Type: 'AWS::CloudFront::Distribution' } },
      outputs: { Url: { Value: { 'Fn::Join': ['', ['https://', { 'Fn::GetAtt': ['Site', 'DomainName'] }, '/a']] } } },
    },
    {
      hosts: (resources) => {
        const domain = resources.get('Site')?.identity.attributes.DomainName ?? '';
        expect(domain).toMatch(/^[a-z0-9]{14}\.cloudfront\.net$/);
        return new Map([[domain, '127.0.0.1:4568']]);
      },
    },
  );
  expect(outputs.Url).toBe('http://127.0.0.1:4568/a');
});

test('a file asset is found by its key', async () => {
  const { assets } = await load({ resources: {}, functions: { abc: 'export {};' } });
  expect(assets.file('abc.zip')).toBe(join(directory, 'asset.abc'));
  expect(() => assets.file('other.zip')).toThrow('the file asset other.zip is not in the asset manifest');
});

test('a dynamic reference is refused', async () => {
  const Tags = ['key {{resolve:secretsmanager:a/key:SecretString:::}}'];
  const resources = { Q: { Type: 'AWS::SQS::Queue', Properties: { Tags } } };
  await expect(load({ resources })).rejects.toThrow('Q.Tags: dynamic references are not served');
});
