import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { bucketOf, failure, startS3 } from '../../support/s3-target.ts';
import { oursOnly } from '../target.ts';

/** The page in each title is under docs.aws.amazon.com/AmazonS3/latest/userguide/. */
oursOnly('a version that is locked in an account cannot be removed after the run');

const DAY_MS = 86_400_000;

async function start() {
  const rule = { prefix: '', noncurrentDays: 1 };
  const buckets = [bucketOf('plain'), bucketOf('versioned', { versioned: true, lifecycle: [rule] })];
  const local = await startS3({ buckets });
  const s3 = new S3Client({
    ...{ endpoint: local.endpoint, region: 'us-east-1', credentials: local.developer, maxAttempts: 1 },
  });
  const lock = (Bucket: string) =>
    s3.send(
      new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } }),
    );
  const put = async () => {
    const object = { Bucket: 'versioned', Key: 'a' };
    return { ...object, VersionId: (await s3.send(new PutObjectCommand({ ...object, Body: 'x' }))).VersionId };
  };
  return { local, s3, lock, put, [Symbol.asyncDispose]: () => local[Symbol.asyncDispose]() };
}

test('object-lock-managing: a version under legal hold is not deleted, a marker may be added, and without the hold it goes', async () => {
  await using world = await start();
  const { s3, lock, put, local } = world;
  const object = await put();
  const hold = (Status: 'ON' | 'OFF') => s3.send(new PutObjectLegalHoldCommand({ ...object, LegalHold: { Status } }));
  expect(await failure(hold('ON'))).toBe('400 InvalidRequest');
  expect(await failure(lock('plain'))).toBe('409 InvalidBucketState');
  await lock('versioned');
  await hold('ON');
  expect((await s3.send(new GetObjectLegalHoldCommand(object))).LegalHold?.Status).toBe('ON');
  const remove = () => s3.send(new DeleteObjectCommand(object));
  expect(await failure(remove())).toBe('403 AccessDenied');
  const Objects = [{ Key: object.Key, VersionId: object.VersionId }];
  const many = await s3.send(new DeleteObjectsCommand({ Bucket: object.Bucket, Delete: { Objects } }));
  expect(many.Errors?.map(({ Code }) => Code)).toEqual(['AccessDenied']);
  expect(await failure(s3.send(new DeleteObjectCommand({ ...object, BypassGovernanceRetention: true })))).toBe(
    '403 AccessDenied',
  );
  await s3.send(new DeleteObjectCommand({ ...object, VersionId: undefined }));
  // No lifecycle rule removes it either.
  local.clock.advance(3 * DAY_MS);
  expect(await local.s3.runLifecycle()).toBe(0);
  await hold('OFF');
  await remove();
  expect(local.s3.storedBytes().versioned).toBe(0);
});

test('object-lock: governance ends with its date or by a request that bypasses it, compliance only with its date', async () => {
  await using world = await start();
  const { s3, lock, put, local } = world;
  await lock('versioned');
  const retain = async (Mode: 'GOVERNANCE' | 'COMPLIANCE') => {
    const object = await put();
    const RetainUntilDate = new Date(local.clock.now() + 2 * DAY_MS);
    await s3.send(new PutObjectRetentionCommand({ ...object, Retention: { Mode, RetainUntilDate } }));
    return object;
  };
  const remove = (object: Awaited<ReturnType<typeof put>>, BypassGovernanceRetention = false) =>
    failure(s3.send(new DeleteObjectCommand({ ...object, BypassGovernanceRetention })));
  const governed = await retain('GOVERNANCE');
  expect((await s3.send(new GetObjectRetentionCommand(governed))).Retention?.Mode).toBe('GOVERNANCE');
  expect(await remove(governed)).toBe('403 AccessDenied');
  expect(await remove(governed, true)).toBe('no error');
  const kept = await retain('COMPLIANCE');
  expect(await remove(kept, true)).toBe('403 AccessDenied');
  local.clock.advance(2 * DAY_MS);
  expect(await remove(kept)).toBe('no error');
});
