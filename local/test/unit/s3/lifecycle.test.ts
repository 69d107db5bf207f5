import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { bucketOf, startS3 } from '../../support/s3-target.ts';

test('lifecycle rules run by themselves within an hour', async () => {
  const lifecycle = [{ prefix: 'tmp/', expirationDays: 7 }];
  await using local = await startS3({ buckets: [bucketOf('plain', { lifecycle })] });
  const s3 = new S3Client({ endpoint: local.endpoint, region: 'us-east-1', credentials: local.developer });
  await s3.send(new PutObjectCommand({ Bucket: 'plain', Key: 'tmp/a', Body: 'xyz' }));
  expect(local.s3.storedBytes().plain).toBe(3);
  local.clock.advance(9 * 86_400_000);
  await expect.poll(() => local.s3.storedBytes().plain).toBe(0);
  s3.destroy();
});
