import { expect, test } from 'vitest';
import { keyPattern, MAX_SESSION_POLICY, sessionPolicy } from '../../../../core/jobs/session-policy.ts';
import { createPolicies } from '../../../../local/iam/policies.ts';
import type { Principal } from '../../../../local/kernel/service.ts';

const ROLE = 'arn:aws:iam::123456789012:role/job';
const JOB = {
  source: {
    bucket: 'uploads',
    key: 'drop/ann/talks/a.mp4',
    versionId: 'v1',
    sequencer: '0',
    size: 1,
    etag: 'e',
  },
  output: { bucket: 'media', prefix: 'tmp/m-1/' },
};
const { decide } = createPolicies({
  roles: [
    {
      arn: ROLE,
      name: 'job',
      policies: [
        {
          name: 'all',
          document: {
            Statement: [
              { Effect: 'Allow', Action: ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject'], Resource: '*' },
              { Effect: 'Allow', Action: ['s3:ListBucket', 's3:DeleteObject'], Resource: '*' },
              { Effect: 'Allow', Action: 'events:PutEvents', Resource: 'arn:aws:events:::event-bus/dropreel' },
            ],
          },
        },
      ],
    },
  ],
});

const sessionOf = (job: Parameters<typeof sessionPolicy>[0]): Principal => {
  return { type: 'role', arn: ROLE, session: { name: 's', policy: sessionPolicy(job, 'aws'), expiresAt: 1 } };
};
const may = (action: string, object: string, context?: Record<string, string>, job = JOB) =>
  decide(sessionOf(job), { action, resource: `arn:aws:s3:::${object}`, ...(context && { context }) }).allowed;

test.each([
  ['s3:GetObjectVersion', 'uploads/drop/ann/talks/a.mp4', { 's3:VersionId': 'v1' }, true],
  ['s3:GetObjectVersion', 'uploads/drop/ann/talks/a.mp4', { 's3:VersionId': 'v2' }, false],
  ['s3:GetObjectVersion', 'uploads/drop/ann/talks/b.mp4', { 's3:VersionId': 'v1' }, false],
  ['s3:GetObject', 'uploads/drop/ann/talks/a.mp4', undefined, false],
  ['s3:GetObject', 'media/ann/hls/m/v1/1080p.m3u8', undefined, false],
  ['s3:PutObject', 'media/tmp/m-1/result.json', undefined, true],
  ['s3:GetObject', 'media/tmp/m-1/claim.json', undefined, true],
  ['s3:PutObject', 'media/tmp/m-10/result.json', undefined, false],
  ['s3:PutObject', 'media/tmp/m-2/result.json', undefined, false],
  ['s3:DeleteObject', 'media/tmp/m-1/result.json', undefined, false],
  ['s3:ListBucket', 'media', { 's3:prefix': 'tmp/m-1/' }, true],
  ['s3:ListBucket', 'media', { 's3:prefix': 'tmp/m-2/' }, false],
])("one job's session: %s of %s with %j: %s", (action, object, context, expected) => {
  expect(may(action, object, context)).toBe(expected);
});

test.each([
  ['ann/hls/m/v1/1080p.m3u8', 'ann/hls/m/v1/1080p.m3u8', true],
  ['ann/hls/m/v1/1080p.m3u8', 'ann/hls/m/v1/1080p_00001.m4s', true],
  ['ann/hls/m/v1/1080p.m3u8', 'ann/hls/m/v2/1080p_00001.m4s', false],
  ['ann/hls/m/v1/1080p.m3u8', 'ann/hls/other/v1/1080p_00001.m4s', false],
  ['ann/mp4/m/v1.mp4', 'ann/mp4/m/v1.mp4', true],
  ['ann/mp4/m/v1.mp4', 'ann/mp4/m/v2.mp4', false],
])('a re-transcode from %s reads %s: %s', (key, object, expected) => {
  const { versionId: _, ...source } = { ...JOB.source, bucket: 'media', key };
  expect(may('s3:GetObject', `media/${object}`, undefined, { ...JOB, source } as typeof JOB)).toBe(expected);
});

test.each([
  ['drop/eve/*', 'drop/eve/*', true],
  ['drop/eve/*', 'drop/eve/x', false],
  ['drop/eve/a?', 'drop/eve/ab', false],
  [`drop/eve/${'$'}{aws:userid}`, `drop/eve/${'$'}{aws:userid}`, true],
  ['drop/eve/"a\\b', 'drop/eve/"a\\b', true],
  ['drop/eve/日本.mp4', 'drop/eve/日本.mp4', true],
])('a file named %s opens %s: %s', (key, object, expected) => {
  const job = { ...JOB, source: { ...JOB.source, key } };
  expect(may('s3:GetObjectVersion', `uploads/${object}`, { 's3:VersionId': 'v1' }, job)).toBe(expected);
});

test.each([
  '*'.repeat(1000),
  'é'.repeat(500),
  'a'.repeat(1000),
  '$'.repeat(1000),
  '"'.repeat(1000),
])('the policy is within the limits of STS, whatever the name is (%#)', (name) => {
  const bucket = 'b'.repeat(63);
  const source = { ...JOB.source, bucket, key: `drop/eve/${name}`, versionId: 'v'.repeat(32) };
  const policy = sessionPolicy({ source, output: { ...JOB.output, bucket: 'm'.repeat(63) } }, 'aws-us-gov');
  expect(policy.length).toBeLessThanOrEqual(MAX_SESSION_POLICY);
  expect(policy).toMatch(/^[\u0020-\u007E]+$/);
  expect(
    may('s3:GetObjectVersion', `${bucket}/${source.key}`, { 's3:VersionId': source.versionId }, { ...JOB, source }),
  ).toBe(true);
});

test('a pattern is not truncated within a variable', () => {
  expect(keyPattern(`${'a'.repeat(598)}*b`)).toBe(`${'a'.repeat(598)}*`);
});
