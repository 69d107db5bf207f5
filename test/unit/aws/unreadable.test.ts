import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { archived, unreadable, unreadableByHead } from '../../../aws/unreadable.ts';

/** What S3's XML looks like to the SDK's client. */
async function refusal(
  status: number,
  code: string,
  message: string,
  more = '',
): Promise<{ s3: S3Client; error: unknown }> {
  const server = createServer((request, response) => {
    const xml = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message>${more}</Error>`;
    response.writeHead(status, { 'content-type': 'application/xml' }).end(request.method === 'HEAD' ? '' : xml);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const endpoint = `http://127.0.0.1:${port}`;
  const s3 = new S3Client({ endpoint, region: 'us-east-1', credentials, forcePathStyle: true, maxAttempts: 1 });
  const error = await s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'k' })).catch((thrown: unknown) => thrown);
  return { s3, error };
}

const KMS_USER =
  'User: arn:aws:sts::111122223333:assumed-role/worker/x is not authorized to perform: kms:Decrypt on this resource';
const SSE_C =
  'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.';

test.each([
  [
    'in an archive',
    403,
    'InvalidObjectState',
    'x',
    /archive \(DEEP_ARCHIVE\)/,
    '<StorageClass>DEEP_ARCHIVE</StorageClass>',
  ],
  ['under a foreign KMS key', 403, 'AccessDenied', KMS_USER, /KMS key/, ''],
  ['under a KMS key that is disabled', 400, 'KMS.DisabledException', 'arn:aws:kms:… is disabled.', /KMS key/, ''],
  ['under its uploader’s own key', 400, 'InvalidRequest', SSE_C, /SSE-C/, ''],
])('an object %s is unreadable by GET and by HEAD', async (_, status, code, message, why, more) => {
  const { s3, error } = await refusal(status, code, message, more);
  expect(unreadable(error)).toMatch(why);
  const head = Object.assign(new Error('UnknownError'), { $metadata: { httpStatusCode: status } });
  expect(await unreadableByHead(s3, { bucket: 'b', key: 'k' }, head)).toMatch(why);
});

test.each([
  ['a missing permission of ours', 403, 'AccessDenied', 'Access Denied'],
  [
    'a denied action of ours',
    403,
    'AccessDenied',
    'User: x is not authorized to perform: s3:GetObject on resource: "…"',
  ],
  ['expired credentials', 400, 'ExpiredToken', 'The provided token has expired.'],
  ['a service that is slow', 503, 'SlowDown', 'Please reduce your request rate.'],
])('%s is not a fault of the object', async (_, status, code, message) => {
  const { s3, error } = await refusal(status, code, message);
  expect(unreadable(error)).toBeNull();
  const head = Object.assign(new Error('UnknownError'), { $metadata: { httpStatusCode: status } });
  expect(await unreadableByHead(s3, { bucket: 'b', key: 'k' }, head)).toBeNull();
});

test.each([
  ['GLACIER', { StorageClass: 'GLACIER' }, true],
  ['GLACIER while it is restored', { StorageClass: 'GLACIER', Restore: 'ongoing-request="true"' }, true],
  [
    'GLACIER with a restored copy',
    { StorageClass: 'GLACIER', Restore: 'ongoing-request="false", expiry-date="Wed, 21 Dec 2112 00:00:00 GMT"' },
    false,
  ],
  [
    'GLACIER with a restored copy that has ended',
    { StorageClass: 'GLACIER', Restore: 'ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"' },
    true,
  ],
  ['GLACIER with an answer that nobody knows', { StorageClass: 'GLACIER', Restore: 'ongoing-request="false"' }, true],
  ['GLACIER_IR', { StorageClass: 'GLACIER_IR' }, false],
  ['an archive of Intelligent-Tiering', { StorageClass: 'INTELLIGENT_TIERING', ArchiveStatus: 'ARCHIVE_ACCESS' }, true],
  ['STANDARD', {}, false],
])('%s: archived %s', (_, head, expected) => {
  expect(archived(head) !== null).toBe(expected);
});
