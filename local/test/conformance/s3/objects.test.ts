import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { type Case, runCases } from '../../support/s3-cases.ts';
import { failure, type Target } from '../../support/s3-target.ts';

const put = (t: Target, Key: string, more = {}) =>
  t.s3.send(new PutObjectCommand({ Bucket: t.plain, Key, Body: 'hello', ...more }));
const NOT_HERE = 'no-such-bucket-e0f1a2';
const STRANGE = 'a b+c%20/ü?&=#日本"\'<>|\\^`{}~/🎬.mp4';

const CASES: Case[] = [
  {
    title: 'the ETag of an object from one PUT is its MD5 in quotes',
    truth: 'API/API_Object.html, md5sum',
    run: async (t) => (await put(t, t.key())).ETag,
    expected: '"5d41402abc4b2a76b9719d911017c592"',
  },
  {
    title: 'a GET returns the object with its headers and user metadata',
    truth: 'API/API_GetObject.html',
    run: async (t) => {
      const Key = t.key();
      const own = {
        ContentType: 'text/plain; charset=utf-8',
        CacheControl: 'max-age=60',
        ContentDisposition: 'attachment; filename="a.txt"',
        ContentEncoding: 'gzip',
        ContentLanguage: 'de',
        Metadata: { colour: 'blue', 'two-words': 'a b' },
      };
      await put(t, Key, own);
      const got = await t.s3.send(new GetObjectCommand({ Bucket: t.plain, Key }));
      return [
        await got.Body?.transformToString(),
        got.ContentLength,
        got.ContentType,
        got.CacheControl,
        got.ContentDisposition,
        got.ContentEncoding,
        got.ContentLanguage,
        got.Metadata,
      ];
    },
    expected: [
      'hello',
      5,
      'text/plain; charset=utf-8',
      'max-age=60',
      'attachment; filename="a.txt"',
      'gzip',
      'de',
      { colour: 'blue', 'two-words': 'a b' },
    ],
  },
  {
    title: 'the default Content-Type is binary/octet-stream',
    truth: 'userguide/UsingMetadata.html, default of Content-Type',
    run: async (t) => {
      const key = t.key();
      await t.raw({ method: 'PUT', bucket: t.plain, key, body: 'x' });
      const { headers } = await t.raw({ method: 'GET', bucket: t.plain, key });
      return [headers['content-type'], headers['accept-ranges']];
    },
    expected: ['binary/octet-stream', 'bytes'],
  },
  {
    title: 'Last-Modified is an HTTP date, and in lists ISO 8601 with zero milliseconds',
    truth: 'API/API_ListObjectsV2.html, sample response',
    run: async (t) => {
      const key = t.key();
      await put(t, key);
      const { headers } = await t.raw({ method: 'HEAD', bucket: t.plain, key });
      const { text } = await t.raw({ method: 'GET', bucket: t.plain, query: { 'list-type': '2', prefix: key } });
      const listed = /<LastModified>(.*?)<\/LastModified>/.exec(text)?.[1] ?? '';
      return [/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/.test(String(headers['last-modified'])), listed.slice(-5)];
    },
    expected: [true, '.000Z'],
  },
  {
    title: 'a key of any characters is stored and listed unchanged',
    truth: 'userguide/object-keys.html',
    run: async (t) => {
      const prefix = t.key();
      await put(t, prefix + STRANGE);
      const got = await t.s3.send(new GetObjectCommand({ Bucket: t.plain, Key: prefix + STRANGE }));
      const listed = await t.s3.send(new ListObjectsV2Command({ Bucket: t.plain, Prefix: prefix }));
      return [await got.Body?.transformToString(), listed.Contents?.map(({ Key }) => Key?.slice(prefix.length))];
    },
    expected: ['hello', [STRANGE]],
  },
  {
    title: 'a key has at most 1,024 bytes of UTF-8',
    truth: 'userguide/object-keys.html, API/ErrorResponses.html: KeyTooLongError',
    moto: '200',
    run: async (t) => {
      const key = t.key();
      const fits = key + 'ü'.repeat((1024 - key.length) >> 1);
      await put(t, fits);
      return failure(put(t, `${fits}xx`));
    },
    expected: '400 KeyTooLongError',
  },
  {
    title: 'an empty object has the MD5 of no bytes',
    truth: 'md5sum of /dev/null',
    run: async (t) => {
      const Key = t.key();
      await put(t, Key, { Body: '' });
      const got = await t.s3.send(new GetObjectCommand({ Bucket: t.plain, Key }));
      return [got.ContentLength, got.ETag, await got.Body?.transformToString()];
    },
    expected: [0, '"d41d8cd98f00b204e9800998ecf8427e"', ''],
  },
  {
    title: 'the last writer wins',
    truth: 'API/API_PutObject.html',
    run: async (t) => {
      const Key = t.key();
      await put(t, Key, { Metadata: { a: '1' }, ContentType: 'text/plain' });
      await put(t, Key, { Body: 'second' });
      const got = await t.s3.send(new GetObjectCommand({ Bucket: t.plain, Key }));
      return [await got.Body?.transformToString(), got.Metadata];
    },
    expected: ['second', {}],
  },
  {
    title: 'a missing key is NoSuchKey, and the error names it',
    truth: 'API/ErrorResponses.html',
    run: async (t) => {
      const key = t.key('missing');
      const answer = await t.raw({ method: 'GET', bucket: t.plain, key });
      return [answer.status, answer.code, answer.text.includes(`<Key>${key}</Key>`)];
    },
    expected: [404, 'NoSuchKey', true],
  },
  {
    title: 'HEAD of a missing key is 404 without a body',
    truth: 'API/API_HeadObject.html',
    run: (t) => failure(t.s3.send(new HeadObjectCommand({ Bucket: t.plain, Key: t.key() }))),
    expected: '404 NotFound',
  },
  {
    title: 'the deletion of a missing key succeeds',
    truth: 'API/API_DeleteObject.html',
    run: async (t) => (await t.raw({ method: 'DELETE', bucket: t.plain, key: t.key() })).status,
    expected: 204,
  },
  {
    title: 'a deleted object does not exist',
    truth: 'API/API_DeleteObject.html',
    run: async (t) => {
      const Key = t.key();
      await put(t, Key);
      await t.s3.send(new DeleteObjectCommand({ Bucket: t.plain, Key }));
      return failure(t.s3.send(new GetObjectCommand({ Bucket: t.plain, Key })));
    },
    expected: '404 NoSuchKey',
  },
  {
    title: 'a missing bucket is NoSuchBucket for every call, and 404 for HeadBucket',
    truth: 'API/ErrorResponses.html, API/API_HeadBucket.html',
    run: async (t) => [
      await failure(t.s3.send(new PutObjectCommand({ Bucket: NOT_HERE, Key: 'a', Body: '' }))),
      await failure(t.s3.send(new GetObjectCommand({ Bucket: NOT_HERE, Key: 'a' }))),
      await failure(t.s3.send(new ListObjectsV2Command({ Bucket: NOT_HERE }))),
      await failure(t.s3.send(new HeadBucketCommand({ Bucket: NOT_HERE }))),
    ],
    expected: ['404 NoSuchBucket', '404 NoSuchBucket', '404 NoSuchBucket', '404 NotFound'],
  },
  {
    title: 'to create a bucket that is already owned is no error in us-east-1',
    truth: 'API/API_CreateBucket.html, BucketAlreadyOwnedByYou',
    run: async (t) => (await t.s3.send(new CreateBucketCommand({ Bucket: t.plain }))).Location === `/${t.plain}`,
    expected: true,
  },
  {
    title: 'a list of buckets says since when they are',
    truth: 'API/API_ListBuckets.html, CreationDate',
    run: async (t) => {
      const { Buckets = [] } = await t.s3.send(new ListBucketsCommand({}));
      const { CreationDate } = Buckets.find(({ Name }) => Name === t.plain) ?? {};
      return CreationDate !== undefined && CreationDate > new Date('2020-01-01');
    },
    expected: true,
  },
  {
    title: 'response-… parameters replace headers of the answer',
    truth: 'API/API_GetObject.html, "Overriding Response Header Values"',
    run: async (t) => {
      const Key = t.key();
      await put(t, Key, { ContentType: 'text/plain' });
      const got = await t.s3.send(
        new GetObjectCommand({
          Bucket: t.plain,
          Key,
          ResponseContentType: 'video/mp4',
          ResponseContentDisposition: 'attachment',
          ResponseCacheControl: 'no-store',
        }),
      );
      return [got.ContentType, got.ContentDisposition, got.CacheControl];
    },
    expected: ['video/mp4', 'attachment', 'no-store'],
  },
  {
    title: 'a response-… parameter that cannot be a header adds no header',
    truth: 'RFC 9110, 5.5: a field value holds no line end',
    run: async (t) => {
      const key = t.key();
      await put(t, key);
      const query = { 'response-content-disposition': 'a\r\nx-evil: 1' };
      const { status, headers } = await t.raw({ method: 'GET', bucket: t.plain, key, query });
      return [status >= 200, headers['x-evil']];
    },
    expected: [true, undefined],
  },
  {
    title: 'user metadata has at most 2 KB',
    truth: 'userguide/UsingMetadata.html, API/ErrorResponses.html: MetadataTooLarge',
    moto: '200',
    run: async (t) => [
      (await put(t, t.key(), { Metadata: { k: 'x'.repeat(2047) } })).$metadata.httpStatusCode,
      await failure(put(t, t.key(), { Metadata: { k: 'x'.repeat(2048) } })),
    ],
    expected: [200, '400 MetadataTooLarge'],
  },
  {
    title: 'a body of unknown length is MissingContentLength',
    truth: 'API/ErrorResponses.html: 411 MissingContentLength',
    moto: '200',
    run: async (t) => {
      const answer = await t.raw({
        method: 'PUT',
        bucket: t.plain,
        key: t.key(),
        body: 'hello',
        headers: { 'transfer-encoding': 'chunked' },
        payloadHash: 'UNSIGNED-PAYLOAD',
      });
      return [answer.status, answer.code];
    },
    expected: [411, 'MissingContentLength'],
  },
];

runCases(CASES);
