import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { head } from '../../../../aws/s3.ts';
import { crc64OfFile } from '../../../../containers/transcoder/crc64nvme.ts';
import { putFile, within } from '../../../../containers/transcoder/push.ts';
import { developer, smallCloud } from '../../../../local/test/support/small-cloud.ts';
import { temporaryDirectory } from '../../../support/media.ts';

const MIB = 1024 * 1024;

it.each([
  [11, 3 + 2],
  [5, 1],
])('a file of %d MiB is uploaded by %d requests, in parts of 5 MiB where it has more, and is there with its checksum', async (mib, requests) => {
  await using directory = await temporaryDirectory();
  await using small = await smallCloud({
    resources: { Media: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'media' } } },
  });
  const s3 = new S3Client({ ...developer(small.cloud), requestChecksumCalculation: 'WHEN_REQUIRED' });
  let calls = 0;
  s3.middlewareStack.add(
    (next) => async (args) => {
      calls += 1;
      return next(args);
    },
    { step: 'initialize' },
  );
  const local = join(directory.path, '1080p.mp4');
  await writeFile(local, randomBytes(mib * MIB));
  const file = { path: '1080p.mp4', size: mib * MIB, crc64nvme: await crc64OfFile(local), contentType: 'video/mp4' };
  const { signal } = new AbortController();
  await putFile({ s3, bucket: 'media', signal }, 'tmp/a/1080p.mp4', local, file, 5 * MIB);
  expect(calls).toBe(requests);
  const { size, crc64nvme } = file;
  expect(await head(s3, { bucket: 'media', key: 'tmp/a/1080p.mp4' })).toMatchObject({ size, crc64nvme });
  s3.destroy();
});

it('a result has the playlists that it can hold, and none otherwise: then they are files alone', () => {
  const few = { '720p.m3u8': '#EXTM3U\n' };
  expect(within(few)).toEqual({ playlists: few });
  expect(within({ a: 'x'.repeat(27 * MIB) })).toHaveProperty('playlists');
  expect(within({ a: 'x'.repeat(14 * MIB), b: 'x'.repeat(14 * MIB) })).toEqual({});
  // A line's end has two characters there.
  expect(within({ a: '\n'.repeat(15 * MIB) })).toEqual({});
});
