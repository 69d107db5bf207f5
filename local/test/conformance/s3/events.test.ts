import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { bucketOf, type Emitted, failure, type LocalS3, startS3 } from '../../support/s3-target.ts';
import { oursOnly } from '../target.ts';

/** What S3 tells EventBridge, and what its lifecycle rules remove. The page in each title is under docs.aws.amazon.com/AmazonS3/latest/userguide/. */
oursOnly('there is no bus to look at behind another S3, nor a clock to put forward');

const DAY_MS = 86_400_000;

interface Detail {
  reason: string;
  'deletion-type'?: string;
  bucket: { name: string };
  object: { key: string; size?: number; etag?: string; 'version-id'?: string; sequencer: string };
}
const detailOf = (event: Emitted | undefined) => event?.detail as Detail;

const buckets = [
  bucketOf('plain', {
    eventBridge: true,
    lifecycle: [
      { prefix: 'tmp/', expirationDays: 7 },
      { prefix: '', abortUploadDays: 3 },
    ],
  }),
  bucketOf('versioned', {
    versioned: true,
    eventBridge: true,
    lifecycle: [{ prefix: 'old/', expirationDays: 1, noncurrentDays: 2 }],
  }),
  bucketOf('silent'),
];
const client = (local: LocalS3) =>
  new S3Client({ endpoint: local.endpoint, region: 'us-east-1', credentials: local.developer, maxAttempts: 1 });

test('ev-events: Object Created has the shape that EventBridge delivers', async () => {
  await using local = await startS3({ buckets });
  const Key = "drop/a b+ü&'日本.mp4";
  const put = await client(local).send(new PutObjectCommand({ Bucket: 'versioned', Key, Body: 'hello' }));
  await expect.poll(() => local.emitted.length).toBe(1);
  expect(local.emitted[0]).toEqual({
    source: 'aws.s3',
    'detail-type': 'Object Created',
    resources: ['arn:aws:s3:::versioned'],
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    detail: {
      version: '0',
      bucket: { name: 'versioned' },
      object: {
        key: Key,
        size: 5,
        etag: '5d41402abc4b2a76b9719d911017c592',
        'version-id': put.VersionId,
        sequencer: expect.stringMatching(/^[0-9A-F]{16,}$/),
      },
      'request-id': expect.stringMatching(/^[0-9A-F]{16}$/),
      requester: '123456789012',
      'source-ip-address': '127.0.0.1',
      reason: 'PutObject',
    },
  });
});

test('ev-events, notification-content-structure: each way to create or delete an object has its reason, and sequencers follow the order', async () => {
  await using local = await startS3({ buckets });
  const s3 = client(local);
  const target = { Bucket: 'plain', Key: 'a' };
  await s3.send(new PutObjectCommand({ ...target, Body: 'x' }));
  await s3.send(new CopyObjectCommand({ Bucket: 'plain', Key: 'b', CopySource: 'plain/a' }));
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand(target));
  const { ETag } = await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'part' }));
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] };
  await s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }));
  await s3.send(new DeleteObjectCommand({ Bucket: 'plain', Key: 'b' }));
  await s3.send(new DeleteObjectCommand({ Bucket: 'plain', Key: 'never there' }));
  await s3.send(new DeleteObjectsCommand({ Bucket: 'plain', Delete: { Objects: [{ Key: 'a' }] } }));
  await expect.poll(() => local.emitted.length).toBe(5);
  const details = local.emitted.map(detailOf).sort((x, y) => (x.object.sequencer < y.object.sequencer ? -1 : 1));
  expect(details.map((it) => [it.reason, it.object.key, it['deletion-type']])).toEqual([
    ['PutObject', 'a', undefined],
    ['CopyObject', 'b', undefined],
    ['CompleteMultipartUpload', 'a', undefined],
    ['DeleteObject', 'b', 'Permanently Deleted'],
    ['DeleteObject', 'a', 'Permanently Deleted'],
  ]);
});

test('ev-events: a deletion in a versioned bucket reports a delete marker', async () => {
  await using local = await startS3({ buckets });
  const gone = await client(local).send(new DeleteObjectCommand({ Bucket: 'versioned', Key: 'a' }));
  await expect.poll(() => local.emitted.length).toBe(1);
  expect(local.emitted[0]?.['detail-type']).toBe('Object Deleted');
  expect(detailOf(local.emitted[0])).toMatchObject({
    reason: 'DeleteObject',
    'deletion-type': 'Delete Marker Created',
    object: { key: 'a', 'version-id': gone.VersionId },
  });
});

test('enable-event-notifications-eventbridge: a bucket without EventBridge and a failed write send no event', async () => {
  await using local = await startS3({ buckets });
  const s3 = client(local);
  await s3.send(new PutObjectCommand({ Bucket: 'silent', Key: 'a', Body: 'x' }));
  await s3.send(new PutObjectCommand({ Bucket: 'plain', Key: 'a', Body: 'x' }));
  await failure(s3.send(new PutObjectCommand({ Bucket: 'plain', Key: 'a', Body: 'x', IfNoneMatch: '*' })));
  await s3.send(new PutObjectCommand({ Bucket: 'plain', Key: 'last', Body: 'x' }));
  await expect.poll(() => local.emitted.map((it) => detailOf(it).object.key)).toEqual(['a', 'last']);
});

test('intro-lifecycle-rules, mpu-abort-incomplete-mpu-lifecycle-config: rules expire by prefix at the midnight after their days', async () => {
  await using local = await startS3({ buckets });
  const s3 = client(local);
  for (const Key of ['tmp/a', 'kept/a']) await s3.send(new PutObjectCommand({ Bucket: 'plain', Key, Body: 'x' }));
  await s3.send(new CreateMultipartUploadCommand({ Bucket: 'plain', Key: 'begun' }));
  local.clock.advance(2 * DAY_MS);
  expect(await local.s3.runLifecycle()).toBe(0);
  local.clock.advance(2 * DAY_MS);
  expect(await local.s3.runLifecycle()).toBe(1); // the upload
  local.clock.advance(4 * DAY_MS);
  expect(await local.s3.runLifecycle()).toBe(1); // tmp/a
  expect(await local.s3.runLifecycle()).toBe(0);
  await expect.poll(() => local.emitted.length).toBe(3);
  expect(detailOf(local.emitted[2])).toMatchObject({
    reason: 'Lifecycle Expiration',
    'deletion-type': 'Permanently Deleted',
    requester: 's3.amazonaws.com',
    object: { key: 'tmp/a' },
  });
});

test('intro-lifecycle-rules: in a versioned bucket expiry adds a marker, and noncurrent versions are removed later', async () => {
  await using local = await startS3({ buckets });
  await client(local).send(new PutObjectCommand({ Bucket: 'versioned', Key: 'old/a', Body: 'x' }));
  local.clock.advance(2 * DAY_MS);
  expect(await local.s3.runLifecycle()).toBe(1);
  expect(local.s3.storedBytes().versioned).toBe(1);
  local.clock.advance(3 * DAY_MS);
  expect(await local.s3.runLifecycle()).toBe(1);
  expect(local.s3.storedBytes().versioned).toBe(0);
});
