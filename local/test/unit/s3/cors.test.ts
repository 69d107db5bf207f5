import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { expect, test } from 'vitest';
import { bucketOf, startS3 } from '../../support/s3-target.ts';

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
const ALL = { Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: 'arn:aws:s3:::plain/*' }] };
const RULE = {
  origins: ['http://localhost:*', 'https://app.localhost'],
  methods: ['GET', 'PUT'],
  headers: ['content-*', 'x-amz-date'],
  exposed: ['ETag'],
  maxAge: 600,
};

async function ask(method: string, headers: Record<string, string>) {
  await using local = await startS3({ buckets: [bucketOf('plain', { policy: ALL, cors: [RULE] })] });
  const answer = await fetch(`${local.endpoint}/plain/a`, { method, headers });
  const cors = [...answer.headers].filter(([name]) => name.startsWith('access-control-'));
  return { status: answer.status, ...Object.fromEntries(cors) };
}

test('a preflight from an allowed origin is answered with the allowed methods and headers', async () => {
  const headers = {
    origin: 'http://localhost:5173',
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'Content-Type, x-amz-date',
  };
  expect(await ask('OPTIONS', headers)).toEqual({
    status: 200,
    'access-control-allow-origin': 'http://localhost:5173',
    'access-control-allow-methods': 'GET, PUT',
    'access-control-allow-headers': 'content-type, x-amz-date',
    'access-control-expose-headers': 'ETag',
    'access-control-max-age': '600',
    'access-control-allow-credentials': 'true',
  });
});

test('the preflight of a presigned PUT is answered, although the method differs from the signed one', async () => {
  await using local = await startS3({ buckets: [bucketOf('plain', { cors: [RULE] })] });
  const s3 = new S3Client({ endpoint: local.endpoint, region: 'us-east-1', credentials: local.developer });
  const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket: 'plain', Key: 'a' }), { expiresIn: 60 });
  const headers = { origin: 'http://localhost:5173', 'access-control-request-method': 'PUT' };
  const answer = await fetch(url, { method: 'OPTIONS', headers });
  expect([answer.status, answer.headers.get('access-control-allow-methods')]).toEqual([200, 'GET, PUT']);
  s3.destroy();
});

test.each<[string, Record<string, string>]>([
  ['another origin', { origin: 'http://localhost.other.localhost', 'access-control-request-method': 'PUT' }],
  ['another method', { origin: 'https://app.localhost', 'access-control-request-method': 'DELETE' }],
  [
    'another header',
    {
      origin: 'https://app.localhost',
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'x-amz-acl',
    },
  ],
])('a preflight from %s is refused', async (_, headers) => {
  expect(await ask('OPTIONS', headers)).toEqual({ status: 403 });
});

test('answers, errors too, can be read by an allowed origin only', async () => {
  expect(await ask('GET', { origin: 'https://app.localhost' })).toMatchObject({
    status: 403,
    'access-control-allow-origin': 'https://app.localhost',
  });
  expect(await ask('GET', { origin: 'https://other.localhost' })).toEqual({ status: 403 });
});
