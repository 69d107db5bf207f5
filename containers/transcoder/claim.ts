import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { httpStatus } from '../../aws/http-status.ts';
import { Claim, type Job } from '../../core/contracts/job.ts';
import { CLAIM_FILE, JOIN_CLAIM_FILE, PREPARE_CLAIM_FILE } from '../../core/contracts/keys.ts';
import { log } from './log.ts';

/** What is claimed: any job that writes under a prefix of its own. */
type Claimable = Pick<Job, 'jobId' | 'output'> & { task?: Job['task'] };

/**
 * `mine`: the first attempt under this prefix. `again`: an earlier attempt of this engine job was here. `other`: another engine job was.
 */
export type Claimed = 'mine' | 'again' | 'other';

const ATTEMPTS = 5;

/** Claims the job's prefix for this engine job. Of two engine jobs for one job exactly one gets it. */
export async function claim(s3: S3Client, job: Claimable, engineJobId: string): Promise<Claimed> {
  const object = objectOf(job);
  const text = claimOf(job, engineJobId);
  for (let attempt = 1; ; attempt++) {
    try {
      await s3.send(new PutObjectCommand({ ...object, Body: text, ContentType: 'application/json', IfNoneMatch: '*' }));
      return 'mine';
    } catch (error) {
      const status = httpStatus(error);
      if (status === 412) break;
      // 409: another write of this key is in progress.
      if (status !== 409 || attempt >= ATTEMPTS) throw error;
      await delay(100 * 2 ** attempt);
    }
  }
  const { Body } = await s3.send(new GetObjectCommand(object));
  const holder = Claim.parse(JSON.parse((await Body?.transformToString()) ?? ''));
  return holder.engineJobId === engineJobId ? 'again' : 'other';
}

/** Milliseconds. Sweep ends a worker that has neither sent an event nor renewed its claim for an hour. */
const RENEW = 10 * 60_000;

/**
 * Rewrites the claim periodically, whatever the worker is doing: a sign of life that needs nothing but S3. A claim that was removed is
 * not made again. Returns a function that stops the renewal.
 */
export function renewClaim(s3: S3Client, job: Claimable, engineJobId: string, every = RENEW): () => void {
  const Body = claimOf(job, engineJobId);
  const IfMatch = `"${createHash('md5').update(Body).digest('hex')}"`;
  const renew = () =>
    s3
      .send(new PutObjectCommand({ ...objectOf(job), Body, ContentType: 'application/json', IfMatch }))
      .catch((error: unknown) => log('warn', 'claim not renewed', { jobId: job.jobId, error: String(error) }));
  const timer = setInterval(renew, every);
  timer.unref();
  return () => clearInterval(timer);
}

/** The first worker of a job and the last one are two engine jobs, each with a claim. */
function objectOf({ output, task }: Claimable) {
  const file = (task && OWN_CLAIM[task.name]) ?? CLAIM_FILE;
  return { Bucket: output.bucket, Key: `${output.prefix}${file}` };
}

const OWN_CLAIM: { [Name in NonNullable<Job['task']>['name']]?: string } = {
  prepare: PREPARE_CLAIM_FILE,
  join: JOIN_CLAIM_FILE,
};

const claimOf = (job: Claimable, engineJobId: string) =>
  JSON.stringify({ jobId: job.jobId, engineJobId } satisfies Claim);
