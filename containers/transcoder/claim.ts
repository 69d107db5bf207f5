import { createHash } from 'node:crypto';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { httpStatus } from '../../aws/http-status.ts';
import { Claim, type Job } from '../../core/contracts/job.ts';
import { CLAIM_FILE, JOIN_CLAIM_FILE, PREPARE_CLAIM_FILE } from '../../core/contracts/keys.ts';
import { putOnce, putPeriodically } from './marks.ts';

/** What is claimed: any job that writes under a prefix of its own. */
export type Claimable = Pick<Job, 'jobId' | 'output'> & { task?: Job['task'] };

/**
 * `mine`: the first attempt under this prefix. `again`: an earlier attempt of this engine job was here. `other`: another engine job was.
 */
export type Claimed = 'mine' | 'again' | 'other';

/** Claims the job's prefix for this engine job. Of two engine jobs for one job exactly one gets it. */
export async function claim(s3: S3Client, job: Claimable, engineJobId: string): Promise<Claimed> {
  const place = placeOf(job);
  if ((await putOnce(s3, place, claimOf(job, engineJobId))) === 'written') return 'mine';
  const there = await claimIn(s3, place);
  if (!there) throw new Error('The claim was removed.');
  return there.claim.engineJobId === engineJobId ? 'again' : 'other';
}

/**
 * Rewrites the claim periodically. One that was removed is not made again. Returns a function that stops the renewal.
 */
export function renewClaim(s3: S3Client, job: Claimable, engineJobId: string, every?: number): () => void {
  const { bucket: Bucket, key: Key } = placeOf(job);
  const Body = claimOf(job, engineJobId);
  const IfMatch = `"${createHash('md5').update(Body).digest('hex')}"`;
  return putPeriodically(s3, { Bucket, Key, Body, ContentType: 'application/json', IfMatch }, job.jobId, every);
}

/** Where a claim is. */
export interface Place {
  bucket: string;
  key: string;
}

/** The first worker of a job and the last one are two engine jobs, each with a claim. */
export function placeOf({ output, task }: Claimable): Place {
  const file = (task && OWN_CLAIM[task.name]) ?? CLAIM_FILE;
  return { bucket: output.bucket, key: `${output.prefix}${file}` };
}

const OWN_CLAIM: { [Name in NonNullable<Job['task']>['name']]?: string } = {
  prepare: PREPARE_CLAIM_FILE,
  join: JOIN_CLAIM_FILE,
};

/** Null where there is none. */
export async function claimIn(s3: S3Client, { bucket, key }: Place): Promise<{ claim: Claim; etag: string } | null> {
  try {
    const { Body, ETag = '' } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    return { claim: Claim.parse(JSON.parse((await Body?.transformToString()) ?? '')), etag: ETag };
  } catch (error) {
    if (httpStatus(error) === 404) return null;
    throw error;
  }
}

const claimOf = (job: Claimable, engineJobId: string) =>
  JSON.stringify({ jobId: job.jobId, engineJobId } satisfies Claim);
