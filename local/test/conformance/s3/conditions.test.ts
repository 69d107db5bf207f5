import { createHash } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type Case, runCases } from '../../support/s3-cases.ts';
import { failure, type Target } from '../../support/s3-target.ts';

const RIGHT = `"${createHash('md5').update('hello').digest('hex')}"`;
const WRONG = '"00000000000000000000000000000000"';
const PAST = 'Sat, 01 Jan 2000 00:00:00 GMT';
const FUTURE = new Date(Date.now() + 60_000).toUTCString();

const put = (t: Target, Bucket: string, Key: string, more = {}) =>
  t.s3.send(new PutObjectCommand({ Bucket, Key, Body: 'hello', ...more }));
const READS = 'API/API_GetObject.html, conditional headers';
const WRITES = 'userguide/conditional-writes.html';

/** Headers of a GET, and its status. */
const GETS: [title: string, headers: Record<string, string>, status: number, moto?: string][] = [
  ['If-Match of another ETag', { 'if-match': WRONG }, 412],
  ['If-Match of its ETag', { 'if-match': RIGHT }, 200],
  ['If-None-Match of its ETag', { 'if-none-match': RIGHT }, 304],
  ['If-None-Match of another ETag', { 'if-none-match': WRONG }, 200],
  ['If-Modified-Since later', { 'if-modified-since': FUTURE }, 304],
  ['If-Modified-Since earlier', { 'if-modified-since': PAST }, 200],
  ['If-Unmodified-Since earlier', { 'if-unmodified-since': PAST }, 412],
  [
    'a true If-Match beside a false If-Unmodified-Since',
    { 'if-match': RIGHT, 'if-unmodified-since': PAST },
    200,
    '412',
  ],
  ['a false If-None-Match beside a true If-Modified-Since', { 'if-none-match': RIGHT, 'if-modified-since': PAST }, 304],
];

runCases([
  ...GETS.map(
    ([title, headers, status, moto]): Case => ({
      title: `GET with ${title} is ${status}`,
      truth: READS,
      ...(moto !== undefined && { moto }),
      run: async (t) => {
        const key = t.key();
        await put(t, t.plain, key);
        const got = await t.raw({ method: 'GET', bucket: t.plain, key, headers });
        return [got.status, got.status === 304 ? got.headers.etag : undefined];
      },
      expected: [status, status === 304 ? RIGHT : undefined],
    }),
  ),
  {
    title: 'If-None-Match: * accepts the first write only',
    truth: WRITES,
    run: async (t) => {
      const key = t.key();
      await put(t, t.plain, key, { IfNoneMatch: '*' });
      return failure(put(t, t.plain, key, { IfNoneMatch: '*' }));
    },
    expected: '412 PreconditionFailed',
  },
  {
    title: 'If-None-Match: * accepts one of eight simultaneous writes',
    truth: `${WRITES}: the first write to finish succeeds, the others get 412 or 409`,
    run: async (t) => {
      const key = t.key();
      const outcomes = await Promise.all(
        [...'abcdefgh'].map((Body) => failure(put(t, t.plain, key, { Body, IfNoneMatch: '*' }))),
      );
      return outcomes.filter((outcome) => outcome === 'no error').length;
    },
    expected: 1,
  },
  {
    title: 'If-None-Match: * ignores a delete marker',
    truth: `${WRITES}: no current version`,
    run: async (t) => {
      const Key = t.key();
      await put(t, t.versioned, Key);
      await t.s3.send(new DeleteObjectCommand({ Bucket: t.versioned, Key }));
      return failure(put(t, t.versioned, Key, { IfNoneMatch: '*' }));
    },
    expected: 'no error',
  },
  {
    title: 'If-Match of the ETag replaces, of another ETag is 412, and of a missing key 404',
    truth: WRITES,
    run: async (t) => {
      const key = t.key();
      await put(t, t.plain, key);
      return [
        await failure(put(t, t.plain, key, { IfMatch: RIGHT })),
        await failure(put(t, t.plain, key, { IfMatch: WRONG })),
        await failure(put(t, t.plain, t.key(), { IfMatch: RIGHT })),
      ];
    },
    expected: ['no error', '412 PreconditionFailed', '404 NoSuchKey'],
  },
  {
    title: 'a write that fails its condition changes nothing',
    truth: WRITES,
    run: async (t) => {
      const key = t.key();
      await put(t, t.plain, key);
      await failure(put(t, t.plain, key, { Body: 'other', IfNoneMatch: '*' }));
      return (await t.raw({ method: 'GET', bucket: t.plain, key })).text;
    },
    expected: 'hello',
  },
  {
    title: 'If-None-Match of a write accepts * only',
    truth: 'API/API_PutObject.html: "Expects the \'*\' (asterisk) character", otherwise 501 NotImplemented',
    moto: '200',
    run: (t) => failure(put(t, t.plain, t.key(), { IfNoneMatch: RIGHT })),
    expected: '501 NotImplemented',
  },
  {
    title: 'CompleteMultipartUpload with If-None-Match: * is 412 where the key exists',
    truth: 'API/API_CompleteMultipartUpload.html',
    run: async (t) => {
      const target = { Bucket: t.plain, Key: t.key() };
      const { UploadId } = await t.s3.send(new CreateMultipartUploadCommand(target));
      const part = await t.s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'part' }));
      await put(t, target.Bucket, target.Key);
      const MultipartUpload = { Parts: [{ PartNumber: 1, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 }] };
      return failure(
        t.s3.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload, IfNoneMatch: '*' })),
      );
    },
    expected: '412 PreconditionFailed',
  },
  {
    title: 'DELETE with If-Match of another ETag is 412 and deletes nothing',
    truth: 'API/API_DeleteObject.html, userguide/conditional-deletes.html',
    run: async (t) => {
      const Key = t.key();
      await put(t, t.plain, Key);
      const outcome = await failure(t.s3.send(new DeleteObjectCommand({ Bucket: t.plain, Key, IfMatch: WRONG })));
      const left = (await t.raw({ method: 'GET', bucket: t.plain, key: Key })).text;
      return [outcome, left];
    },
    expected: ['412 PreconditionFailed', 'hello'],
  },
]);
