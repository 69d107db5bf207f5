import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Claim, type Job } from '../../core/contracts/job.ts';
import { CLAIM_FILE } from '../../core/contracts/keys.ts';
import { httpStatus } from './failures.ts';

/** `mine`: the first attempt under this prefix. `again`: an earlier attempt of this engine job was here. `other`: somebody else's. */
export type Claimed = 'mine' | 'again' | 'other';

const ATTEMPTS = 5;

/** Claims the job's prefix for this engine job. Of two engine jobs for one job exactly one gets it. */
export async function claim(s3: S3Client, job: Job, engineJobId: string): Promise<Claimed> {
  const object = { Bucket: job.output.bucket, Key: `${job.output.prefix}${CLAIM_FILE}` };
  const text = JSON.stringify({ jobId: job.jobId, engineJobId } satisfies Claim);
  for (let attempt = 1; ; attempt++) {
    try {
      await s3.send(new PutObjectCommand({ ...object, Body: text, ContentType: 'application/json', IfNoneMatch: '*' }));
      return 'mine';
    } catch (error) {
      const status = httpStatus(error);
      if (status === 412) break;
      // 409: another write of this key is under way.
      if (status !== 409 || attempt >= ATTEMPTS) throw error;
      await delay(100 * 2 ** attempt);
    }
  }
  const { Body } = await s3.send(new GetObjectCommand(object));
  const holder = Claim.parse(JSON.parse((await Body?.transformToString()) ?? ''));
  return holder.engineJobId === engineJobId ? 'again' : 'other';
}
