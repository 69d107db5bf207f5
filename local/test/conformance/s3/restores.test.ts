import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  RestoreObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { bucketOf, failure, type LocalS3, startS3 } from '../../support/s3-target.ts';
import { oursOnly } from '../target.ts';

/**
 * Objects in an archive, and how they get there. The page in each title is under docs.aws.amazon.com/AmazonS3/latest/userguide/, or API/.
 */
oursOnly('a restore takes hours, and there is no bus to look at behind another S3');

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const KIB = 1024;

const rule = (storageClass: string) => ({
  prefix: '',
  tags: { move: storageClass },
  transitions: [{ storageClass, days: 0 }],
});
const buckets = [
  bucketOf('versioned', {
    versioned: true,
    eventBridge: true,
    lifecycle: [rule('GLACIER_IR'), rule('GLACIER'), rule('DEEP_ARCHIVE')],
  }),
];

function clientOf(local: LocalS3) {
  const s3 = new S3Client({
    ...{ endpoint: local.endpoint, region: 'us-east-1', credentials: local.developer, maxAttempts: 1 },
  });
  const object = { Bucket: 'versioned', Key: 'a' };
  return {
    object,
    s3,
    put: (StorageClass?: 'GLACIER' | 'DEEP_ARCHIVE', Body = 'hello') =>
      s3.send(new PutObjectCommand({ ...object, Body, ...(StorageClass && { StorageClass }) })),
    restore: async (Days: number, Tier: 'Expedited' | 'Standard' | 'Bulk') => {
      const restore = new RestoreObjectCommand({
        ...object,
        RestoreRequest: { Days, GlacierJobParameters: { Tier } },
      });
      return (await s3.send(restore)).$metadata.httpStatusCode;
    },
    head: () => s3.send(new HeadObjectCommand(object)),
    read: async () => (await s3.send(new GetObjectCommand(object))).Body?.transformToString(),
    tag: (Value: string) =>
      s3.send(new PutObjectTaggingCommand({ ...object, Tagging: { TagSet: [{ Key: 'move', Value }] } })),
  };
}

const told = (local: LocalS3) => local.emitted.map((event) => event['detail-type']);
/** The time until the next midnight (UTC) of the cloud's clock, and a minute. */
const toMidnight = (local: LocalS3) => DAY_MS - (local.clock.now() % DAY_MS) + 60_000;

test('API_RestoreObject: a restore is accepted, takes its time, and the copy can be read while the class stays', async () => {
  await using local = await startS3({ buckets });
  const { put, restore, head, read, s3, object } = clientOf(local);
  await put('GLACIER');
  expect((await head()).Restore).toBeUndefined();
  expect(await restore(2, 'Standard')).toBe(202);
  expect((await head()).Restore).toBe('ongoing-request="true"');
  expect(await failure(read())).toBe('403 InvalidObjectState');
  local.clock.advance(5 * HOUR_MS);
  const expiry = new Date(Math.ceil((local.clock.now() + 2 * DAY_MS) / DAY_MS) * DAY_MS);
  expect(await head()).toMatchObject({
    StorageClass: 'GLACIER',
    Restore: `ongoing-request="false", expiry-date="${expiry.toUTCString()}"`,
  });
  expect(await read()).toBe('hello');
  const copy = new CopyObjectCommand({ ...object, Key: 'copy', CopySource: 'versioned/a' });
  expect((await s3.send(copy)).CopyObjectResult?.ETag).toBe('"5d41402abc4b2a76b9719d911017c592"');
  local.clock.advance(3 * DAY_MS);
  expect((await head()).Restore).toBeUndefined();
  expect(await failure(read())).toBe('403 InvalidObjectState');
});

test('ev-events: a restore is told when it begins, when the copy is there, and when it has expired', async () => {
  await using local = await startS3({ buckets });
  const { put, restore } = clientOf(local);
  const { VersionId } = await put('DEEP_ARCHIVE');
  await restore(1, 'Bulk');
  await expect.poll(() => told(local)).toEqual(['Object Created', 'Object Restore Initiated']);
  local.clock.advance(47 * HOUR_MS);
  expect(told(local)).toHaveLength(2);
  local.clock.advance(HOUR_MS);
  await expect.poll(() => told(local).length).toBe(3);
  expect(local.emitted[2]).toEqual({
    source: 'aws.s3',
    'detail-type': 'Object Restore Completed',
    resources: ['arn:aws:s3:::versioned'],
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    detail: {
      version: '0',
      bucket: { name: 'versioned' },
      // Without a sequencer, as on the page.
      object: { key: 'a', size: 5, etag: '5d41402abc4b2a76b9719d911017c592', 'version-id': VersionId },
      'request-id': expect.any(String),
      requester: 's3.amazonaws.com',
      'restore-expiry-time': expect.stringMatching(/T00:00:00Z$/),
      'source-storage-class': 'DEEP_ARCHIVE',
    },
  });
  expect(await restore(1, 'Bulk')).toBe(200);
  local.clock.advance(3 * DAY_MS);
  await expect.poll(() => told(local).at(-1)).toBe('Object Restore Expired');
  expect(told(local)).toHaveLength(4);
});

test('API_RestoreObject: a second request is 409 while one is under way, unless it asks for a faster tier; afterwards it sets new days', async () => {
  await using local = await startS3({ buckets });
  const { put, restore, head } = clientOf(local);
  await put('GLACIER');
  expect(await restore(3, 'Bulk')).toBe(202);
  expect(await failure(restore(3, 'Bulk'))).toBe('409 RestoreAlreadyInProgress');
  expect(await restore(3, 'Expedited')).toBe(202);
  expect(await failure(restore(3, 'Standard'))).toBe('409 RestoreAlreadyInProgress');
  local.clock.advance(5 * 60_000);
  const before = (await head()).Restore;
  expect(await restore(1, 'Standard')).toBe(200);
  expect((await head()).Restore).not.toBe(before);
});

test('API_RestoreObject: what is in no archive, and a tier that the class has not, are refused', async () => {
  await using local = await startS3({ buckets });
  const { put, restore } = clientOf(local);
  await put();
  expect(await failure(restore(1, 'Standard'))).toBe('403 InvalidObjectState');
  await put('DEEP_ARCHIVE');
  // The message is AWS's; that its code is InvalidArgument is a guess.
  expect(await failure(restore(1, 'Expedited'))).toBe('400 InvalidArgument');
});

test('a restore survives a restart of the local cloud: its completion is told once', async () => {
  const first = await startS3({ buckets });
  const { put, restore } = clientOf(first);
  await put('GLACIER');
  await restore(1, 'Expedited');
  await expect.poll(() => told(first).length).toBe(2);
  await first.s3.crash();
  await using second = await startS3({ buckets, directory: first.directory });
  second.clock.advance(5 * 60_000);
  await expect.poll(() => told(second)).toEqual(['Object Restore Completed']);
  await first[Symbol.asyncDispose]();
});

test('lifecycle-transition-general-considerations: a rule moves the version that has its tag, at the midnight after, and tells so', async () => {
  await using local = await startS3({ buckets });
  const { put, head, tag, read } = clientOf(local);
  await put(undefined, 'x'.repeat(128 * KIB));
  const before = await head();
  expect(await local.s3.runLifecycle()).toBe(0);
  await tag('GLACIER_IR');
  expect(await local.s3.runLifecycle()).toBe(0);
  local.clock.advance(toMidnight(local));
  expect(await local.s3.runLifecycle()).toBe(1);
  expect(await local.s3.runLifecycle()).toBe(0);
  const { StorageClass, VersionId, ETag, LastModified } = await head();
  expect({ StorageClass, VersionId, ETag, LastModified }).toEqual({
    StorageClass: 'GLACIER_IR',
    VersionId: before.VersionId,
    ETag: before.ETag,
    LastModified: before.LastModified,
  });
  expect(await read()).toHaveLength(128 * KIB);
  await expect.poll(() => told(local).at(-1)).toBe('Object Storage Class Changed');
  expect(local.emitted.at(-1)?.detail).toMatchObject({
    'destination-storage-class': 'GLACIER_IR',
    object: { key: 'a', 'version-id': before.VersionId },
  });
});

test('lifecycle-transition-general-considerations: objects go only downwards, and those below 128 KiB stay', async () => {
  await using local = await startS3({ buckets });
  const { put, head, tag } = clientOf(local);
  await put('DEEP_ARCHIVE', 'x'.repeat(128 * KIB));
  await tag('GLACIER_IR');
  local.clock.advance(toMidnight(local));
  expect(await local.s3.runLifecycle()).toBe(0);
  expect((await head()).StorageClass).toBe('DEEP_ARCHIVE');
  await put(undefined, 'x'.repeat(128 * KIB - 1));
  await tag('GLACIER');
  local.clock.advance(toMidnight(local));
  expect(await local.s3.runLifecycle()).toBe(0);
});
