import { setTimeout as delay } from 'node:timers/promises';
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { httpStatus } from '../../aws/http-status.ts';
import { log } from './log.ts';

/** Small objects by which workers know of each other, and sweep of them. */

const ATTEMPTS = 5;

/** Writes JSON, of several workers once. `there`: another one was first. */
export async function putOnce(
  s3: S3Client,
  { bucket, key }: { bucket: string; key: string },
  Body: string,
): Promise<'written' | 'there'> {
  const object = { Bucket: bucket, Key: key, Body, ContentType: 'application/json', IfNoneMatch: '*' };
  for (let attempt = 1; ; attempt++) {
    try {
      await s3.send(new PutObjectCommand(object));
      return 'written';
    } catch (error) {
      const status = httpStatus(error);
      if (status === 412) return 'there';
      // 409: another write of this key is in progress.
      if (status !== 409 || attempt >= ATTEMPTS) throw error;
      await delay(100 * 2 ** attempt);
    }
  }
}

/** Milliseconds. Sweep ends a worker of which nothing was seen for an hour. */
const AGAIN = 10 * 60_000;

/**
 * Writes an object periodically, whatever the worker is doing: a sign of life that needs nothing but S3. Returns a function that stops it.
 * @param jobId for the log, where a write fails
 */
export function putPeriodically(
  s3: S3Client,
  object: PutObjectCommand['input'],
  jobId: string,
  every = AGAIN,
): () => void {
  const put = () =>
    s3
      .send(new PutObjectCommand(object))
      .catch((error: unknown) => log('warn', 'no sign of life', { jobId, key: object.Key, error: String(error) }));
  const timer = setInterval(put, every);
  timer.unref();
  return () => clearInterval(timer);
}
