import { S3Client } from '@aws-sdk/client-s3';
import type { STSClient } from '@aws-sdk/client-sts';
import { jobSession } from '../../aws/job-session.ts';
import { REQUEST_LIFETIME } from '../../aws/presign.ts';
import type { Job } from '../../core/contracts/job.ts';

/** Jobs whose sessions are kept. */
const KEPT = 100;
/** Milliseconds that a session must still last: longer than the addresses that it signs. */
const LEAST_MS = 2 * REQUEST_LIFETIME * 1000;

/** Clients with sessions of the role that are limited to one job each; a session is used for about half an hour. */
export function workerS3(sts: STSClient, roleArn: string): (job: Job) => Promise<S3Client> {
  const known = new Map<string, { s3: S3Client; until: number }>();
  return async (job) => {
    const kept = known.get(job.jobId);
    if (kept && kept.until > Date.now()) return kept.s3;
    const credentials = await jobSession(sts, roleArn, job)();
    const s3 = new S3Client({ credentials, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' });
    known.delete(job.jobId);
    known.set(job.jobId, { s3, until: (credentials.expiration?.getTime() ?? 0) - LEAST_MS });
    const [oldest] = known.keys();
    if (known.size > KEPT && oldest !== undefined) known.delete(oldest);
    return s3;
  };
}
