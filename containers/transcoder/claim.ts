import { createHash } from 'node:crypto';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { Claim, type Job } from '../../core/contracts/job.ts';
import { CLAIM_FILE, JOIN_CLAIM_FILE, PREPARE_CLAIM_FILE } from '../../core/contracts/keys.ts';
import { putOnce, putPeriodically } from './marks.ts';

/** What is claimed: any job that writes under a prefix of its own. */
type Claimable = Pick<Job, 'jobId' | 'output'> & { task?: Job['task'] };

/**
 * `mine`: the first attempt under this prefix. `again`: an earlier attempt of this engine job was here. `other`: another engine job was.
 */
export type Claimed = 'mine' | 'again' | 'other';

/** Claims the job's prefix for this engine job. Of two engine jobs for one job exactly one gets it. */
export async function claim(s3: S3Client, job: Claimable, engineJobId: string): Promise<Claimed> {
  const place = placeOf(job);
  if ((await putOnce(s3, place, claimOf(job, engineJobId))) === 'written') return 'mine';
  const object = { Bucket: place.bucket, Key: place.key };
  const { Body } = await s3.send(new GetObjectCommand(object));
  const holder = Claim.parse(JSON.parse((await Body?.transformToString()) ?? ''));
  return holder.engineJobId === engineJobId ? 'again' : 'other';
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

/** The first worker of a job and the last one are two engine jobs, each with a claim. */
function placeOf({ output, task }: Claimable) {
  const file = (task && OWN_CLAIM[task.name]) ?? CLAIM_FILE;
  return { bucket: output.bucket, key: `${output.prefix}${file}` };
}

const OWN_CLAIM: { [Name in NonNullable<Job['task']>['name']]?: string } = {
  prepare: PREPARE_CLAIM_FILE,
  join: JOIN_CLAIM_FILE,
};

const claimOf = (job: Claimable, engineJobId: string) =>
  JSON.stringify({ jobId: job.jobId, engineJobId } satisfies Claim);
