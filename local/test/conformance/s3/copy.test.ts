import { CopyObjectCommand, type CopyObjectCommandInput, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { type Case, runCases } from '../../support/s3-cases.ts';
import { failure, type Target } from '../../support/s3-target.ts';

const API = 'API/API_CopyObject.html';
const MD5 = '"5d41402abc4b2a76b9719d911017c592"';
const OTHER = '"00000000000000000000000000000000"';

const put = (t: Target, Key: string) =>
  t.s3.send(
    new PutObjectCommand({
      Bucket: t.plain,
      Key,
      Body: 'hello',
      ContentType: 'text/plain',
      CacheControl: 'max-age=1',
      Metadata: { a: '1' },
    }),
  );
const source = (t: Target, key: string) => `${t.plain}/${key.split('/').map(encodeURIComponent).join('/')}`;
const copy = (t: Target, from: string, to: string, more: Partial<CopyObjectCommandInput> = {}) =>
  t.s3.send(new CopyObjectCommand({ Bucket: t.plain, Key: to, CopySource: source(t, from), ...more }));
const headers = async (t: Target, Key: string) => {
  const got = await t.s3.send(new GetObjectCommand({ Bucket: t.plain, Key }));
  return [await got.Body?.transformToString(), got.ContentType, got.CacheControl, got.Metadata];
};

/** Conditions on a source, and what comes of them. */
const CONDITIONS: [string, Partial<CopyObjectCommandInput>, string, moto?: string][] = [
  ['If-Match of its ETag', { CopySourceIfMatch: MD5 }, 'no error'],
  ['If-Match of another ETag', { CopySourceIfMatch: OTHER }, '412 PreconditionFailed', '200: it does not look'],
  ['If-None-Match of its ETag', { CopySourceIfNoneMatch: MD5 }, '412 PreconditionFailed'],
  ['If-Unmodified-Since earlier', { CopySourceIfUnmodifiedSince: new Date(0) }, '412 PreconditionFailed', '200'],
];

const CASES: Case[] = [
  ...CONDITIONS.map(
    ([title, condition, expected, moto]): Case => ({
      title: `x-amz-copy-source-${title}: ${expected}`,
      truth: API,
      ...(moto !== undefined && { moto }),
      run: async (t) => {
        const key = t.key();
        await put(t, key);
        return failure(copy(t, key, `${key}copy`, condition));
      },
      expected,
    }),
  ),
  {
    title: 'a copy has the content, headers and metadata of its source',
    truth: `${API}: x-amz-metadata-directive COPY is the default`,
    run: async (t) => {
      const key = t.key();
      await put(t, key);
      const { CopyObjectResult } = await copy(t, key, `${key}copy`);
      return [CopyObjectResult?.ETag, ...(await headers(t, `${key}copy`))];
    },
    expected: [MD5, 'hello', 'text/plain', 'max-age=1', { a: '1' }],
  },
  {
    title: 'with REPLACE headers and metadata are those of the request only',
    truth: API,
    run: async (t) => {
      const key = t.key();
      await put(t, key);
      await copy(t, key, `${key}copy`, {
        MetadataDirective: 'REPLACE',
        ContentType: 'video/mp4',
        Metadata: { b: '2' },
      });
      return headers(t, `${key}copy`);
    },
    expected: ['hello', 'video/mp4', undefined, { b: '2' }],
  },
  {
    title: 'without REPLACE the headers of the request have no effect',
    truth: API,
    run: async (t) => {
      const key = t.key();
      await put(t, key);
      await copy(t, key, `${key}copy`, { ContentType: 'video/mp4', Metadata: { b: '2' } });
      return headers(t, `${key}copy`);
    },
    expected: ['hello', 'text/plain', 'max-age=1', { a: '1' }],
  },
  {
    title: 'a copy onto itself is InvalidRequest unless something changes',
    truth: `${API}; API/ErrorResponses.html`,
    run: async (t) => {
      const key = t.key();
      await put(t, key);
      return [
        await failure(copy(t, key, key)),
        await failure(copy(t, key, key, { MetadataDirective: 'REPLACE', Metadata: { c: '3' } })),
        (await headers(t, key)).at(-1),
      ];
    },
    expected: ['400 InvalidRequest', 'no error', { c: '3' }],
  },
  {
    title: 'a source of any characters is found by its encoded name',
    truth: `${API}: "The value must be URL-encoded"`,
    run: async (t) => {
      const key = t.key('a b+c%20ü?versionId=x&日本.mp4');
      await put(t, key);
      await copy(t, key, `${key}copy`);
      return (await headers(t, `${key}copy`))[0];
    },
    expected: 'hello',
  },
  {
    title: 'If-None-Match: * and If-Match of the copy itself: it replaces only what they allow',
    truth: `${API}; userguide/conditional-writes.html`,
    moto: 'it does not look',
    run: async (t) => {
      const key = t.key();
      await put(t, key);
      const to = `${key}copy`;
      return [
        await failure(copy(t, key, to, { IfMatch: MD5 })),
        await failure(copy(t, key, to, { IfNoneMatch: '*' })),
        await failure(copy(t, key, to, { IfNoneMatch: '*' })),
        await failure(copy(t, key, to, { IfMatch: OTHER })),
        await failure(copy(t, key, to, { IfMatch: MD5, MetadataDirective: 'REPLACE', Metadata: { b: '2' } })),
        (await headers(t, to)).at(-1),
      ];
    },
    expected: ['404 NoSuchKey', 'no error', '412 PreconditionFailed', '412 PreconditionFailed', 'no error', { b: '2' }],
  },
  {
    title: 'a missing source is NoSuchKey, and a missing bucket NoSuchBucket',
    truth: 'API/ErrorResponses.html',
    run: async (t) => [
      await failure(copy(t, t.key('missing'), t.key())),
      await failure(copy(t, '', t.key(), { CopySource: 'no-such-bucket-e0f1a2/key' })),
    ],
    expected: ['404 NoSuchKey', '404 NoSuchBucket'],
  },
];

runCases(CASES);
