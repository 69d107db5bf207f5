import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bucketOf, type Emitted, failure, type LocalS3, startS3 } from '../../support/s3-target.ts';

const BUCKETS = [bucketOf('plain', { eventBridge: true }), bucketOf('versioned', { versioned: true })];
const MIB = 2 ** 20;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 's3-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const client = (local: LocalS3) =>
  new S3Client({ endpoint: local.endpoint, region: 'us-east-1', credentials: local.developer, maxAttempts: 1 });
const put = (local: LocalS3, Bucket: string, Key: string, Body: string | Buffer) =>
  client(local).send(new PutObjectCommand({ Bucket, Key, Body }));
const text = async (local: LocalS3, Bucket: string, Key: string) =>
  (await client(local).send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString();
const files = async () => (await readdir(join(directory, 'objects'))).length;

test('acknowledged objects, versions and parts are present after a crash', async () => {
  const first = await startS3({ buckets: BUCKETS, directory });
  await put(first, 'plain', 'a', 'hello');
  await put(first, 'versioned', 'a', 'one');
  await put(first, 'versioned', 'a', 'two');
  const target = { Bucket: 'plain', Key: 'parts' };
  const { UploadId } = await client(first).send(new CreateMultipartUploadCommand(target));
  await client(first).send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'part' }));
  await first.s3.crash();

  await using second = await startS3({ buckets: BUCKETS, directory });
  expect(await text(second, 'plain', 'a')).toBe('hello');
  expect(await text(second, 'versioned', 'a')).toBe('two');
  expect(second.s3.storedBytes()).toEqual({ plain: 5, versioned: 6 });
  const { Parts } = await client(second).send(new ListPartsCommand({ ...target, UploadId }));
  const MultipartUpload = { Parts: Parts?.map(({ PartNumber, ETag }) => ({ PartNumber, ETag })) };
  await client(second).send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }));
  expect(await text(second, 'plain', 'parts')).toBe('part');
});

test('an event that the bus had not accepted before a crash is sent after the restart, and an accepted one is not', async () => {
  const before: Emitted[] = [];
  const first = await startS3({
    buckets: BUCKETS,
    directory,
    emit: async (event) => {
      before.push(event);
      if (before.length > 1) await new Promise(() => {});
    },
  });
  await put(first, 'plain', 'taken', 'x');
  await put(first, 'plain', 'lost', 'x');
  await put(first, 'plain', 'lost too', 'x');
  await expect.poll(() => before.length).toBe(3);
  await put(first, 'versioned', 'flush', 'x'); // whatever was said before it is on the disk
  await first.s3.crash();

  await using second = await startS3({ buckets: BUCKETS, directory });
  await expect.poll(() => second.emitted.length).toBe(2);
  expect(second.emitted.map(({ detail }) => (detail as { object: { key: string } }).object.key)).toEqual([
    'lost',
    'lost too',
  ]);
});

test('an event is sent again until the bus accepts it', async () => {
  let asked = 0;
  await using local = await startS3({
    buckets: BUCKETS,
    directory,
    emit: async () => {
      asked += 1;
      if (asked === 1) throw new Error('the bus is down');
    },
  });
  await put(local, 'plain', 'a', 'x');
  await expect.poll(() => asked, { timeout: 5000 }).toBe(2);
});

test('files are removed when nothing refers to them: overwritten, deleted, copied from, left by a crash', async () => {
  const local = await startS3({ buckets: BUCKETS, directory });
  await put(local, 'plain', 'a', 'one');
  await put(local, 'plain', 'a', 'two');
  expect(await files()).toBe(1);
  await client(local).send(new CopyObjectCommand({ Bucket: 'plain', Key: 'b', CopySource: 'plain/a' }));
  expect(await files()).toBe(1);
  await client(local).send(new DeleteObjectCommand({ Bucket: 'plain', Key: 'a' }));
  expect(await text(local, 'plain', 'b')).toBe('two');
  await client(local).send(new DeleteObjectCommand({ Bucket: 'plain', Key: 'b' }));
  expect(await files()).toBe(0);
  await local[Symbol.asyncDispose]();

  await writeFile(join(directory, 'objects', 'unnamed'), 'written, but never told');
  await writeFile(join(directory, 'incoming', 'half'), 'half');
  await using again = await startS3({ buckets: BUCKETS, directory });
  expect([await files(), await readdir(join(directory, 'incoming'))]).toEqual([0, []]);
  expect(again.log).toEqual(['s3: removed 1 files of interrupted writes']);
});

test('a reader continues with the object that it opened, whatever is written meanwhile', async () => {
  await using local = await startS3({ buckets: BUCKETS, directory });
  await put(local, 'plain', 'a', Buffer.alloc(20 * MIB, 'a'));
  const { Body } = await client(local).send(new GetObjectCommand({ Bucket: 'plain', Key: 'a' }));
  await put(local, 'plain', 'a', 'short');
  await client(local).send(new DeleteObjectCommand({ Bucket: 'plain', Key: 'a' }));
  const read = await Body?.transformToByteArray();
  expect([read?.length, read?.every((byte) => byte === 97)]).toEqual([20 * MIB, true]);
  await expect.poll(files).toBe(0);
});

test('an upload that is cut off leaves no object and no file', async () => {
  await using local = await startS3({ buckets: [bucketOf('plain', { policy: OPEN })], directory });
  const outgoing = request(`${local.endpoint}/plain/a`, { method: 'PUT', headers: { 'content-length': 10 * MIB } });
  outgoing.on('error', () => {});
  outgoing.write(Buffer.alloc(MIB));
  await expect.poll(async () => (await readdir(join(directory, 'incoming'))).length).toBe(1);
  outgoing.destroy();
  await expect.poll(async () => (await readdir(join(directory, 'incoming'))).length).toBe(0);
  expect([await files(), await failure(text(local, 'plain', 'a'))]).toEqual([0, '404 NoSuchKey']);
});
const OPEN = { Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: 'arn:aws:s3:::plain/*' }] };

test('a bucket that is removed from the template and added again has its objects', async () => {
  const first = await startS3({ buckets: BUCKETS, directory });
  await put(first, 'versioned', 'a', 'hello');
  await first[Symbol.asyncDispose]();
  const without = await startS3({ buckets: BUCKETS.slice(0, 1), directory });
  expect(await failure(text(without, 'versioned', 'a'))).toBe('404 NoSuchBucket');
  await without[Symbol.asyncDispose]();
  await using back = await startS3({ buckets: BUCKETS, directory });
  expect(await text(back, 'versioned', 'a')).toBe('hello');
});

test('sequencers increase over a restart, also when the newest object is deleted', async () => {
  const first = await startS3({ buckets: BUCKETS, directory });
  first.clock.advance(30 * 86_400_000); // the next start does not know of it
  await put(first, 'plain', 'a', 'x');
  await client(first).send(new DeleteObjectCommand({ Bucket: 'plain', Key: 'a' }));
  await expect.poll(() => first.emitted.length).toBe(2);
  await first[Symbol.asyncDispose]();
  await using second = await startS3({ buckets: BUCKETS, directory });
  await put(second, 'plain', 'a', 'x');
  await expect.poll(() => second.emitted.length).toBe(1);
  const sequencers = [first.emitted[1], second.emitted[0]].map(
    (event) => (event as { detail: { object: { sequencer: string } } }).detail.object.sequencer,
  );
  expect(sequencers.toSorted()).toEqual(sequencers);
});
