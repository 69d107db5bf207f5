import type { S3Client } from '@aws-sdk/client-s3';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { send } from '../../aws/queue.ts';
import { readText } from '../../aws/s3.ts';
import { getJob, getMedia, settle, type Table } from '../../aws/table.ts';
import type { PublishMessage } from '../../core/contracts/events.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import { Claim, EXIT, Result } from '../../core/contracts/job.ts';
import { CLAIM_FILE, RESULT_FILE, tmpPrefix } from '../../core/contracts/keys.ts';
import { type EngineEnd, reasonOf } from '../../core/jobs/ended.ts';
import { decide, type ErrorCode } from '../../core/jobs/errors.ts';
import { jobFailed, jobSucceeded, stillWaiting } from '../../core/jobs/transitions.ts';
import { count, logger } from './stack.ts';

export interface EndServices {
  table: Table;
  s3: S3Client;
  sqs: SQSClient;
  mediaBucket: string;
  publishQueueUrl: string;
}

export interface End extends EngineEnd {
  engineJobId: string;
  status: 'SUCCEEDED' | 'FAILED';
}

/** The attempts of the job definition. AWS Batch makes them by itself, so a transient failure that arrives here has had them. */
const ENGINE_ATTEMPTS = 3;

/**
 * An engine job ended. What the worker left under tmp/ says how, whatever the engine says: a result is the truth, and a
 * claim of another engine job means that this one was a double, whose end says nothing.
 */
export async function endJob(
  services: EndServices,
  jobId: string,
  end: End,
): Promise<'succeeded' | 'failed' | 'ignored'> {
  const { mediaId, n } = parseJobId(jobId);
  const result = await readResult(services, jobId);
  if (result?.status === 'succeeded') {
    await settle(services.table, async () => {
      const job = await getJob(services.table, mediaId, n);
      return job ? jobSucceeded(job, result, new Date().toISOString()) : { none: 'the job is gone' };
    });
    await askToPublish(services, jobId);
    return 'succeeded';
  }
  const claim = result ? null : await readClaim(services, jobId);
  if (claim && claim.engineJobId !== end.engineJobId) {
    logger.info('a second engine job ended', { jobId, engineJobId: end.engineJobId });
    await settle(services.table, async () => {
      const job = await getJob(services.table, mediaId, n);
      if (!job || job.engineJobId === claim.engineJobId) return { none: 'the claim is known' };
      return stillWaiting(job, job.todoAt ?? new Date().toISOString(), { engineJobId: claim.engineJobId });
    });
    return 'ignored';
  }
  const ownWords = end.status === 'SUCCEEDED' || end.exitCode === EXIT.permanent || end.exitCode === EXIT.transient;
  // An earlier attempt's result does not explain how a later one was killed.
  const { code, message } = result && ownWords ? result.error : reasonOf(end);
  return (await failJob(services.table, jobId, code, message)) ? 'failed' : 'ignored';
}

/** Ends a job as failed, and counts it. False when it had ended before. */
export async function failJob(table: Table, jobId: string, code: ErrorCode, message: string): Promise<boolean> {
  const { mediaId, n } = parseJobId(jobId);
  const outcome = await settle(table, async () => {
    const [job, media] = await Promise.all([getJob(table, mediaId, n), getMedia(table, mediaId)]);
    return job ? jobFailed(job, media, { code, message, at: new Date().toISOString() }) : { none: 'the job is gone' };
  });
  if ('none' in outcome) return false;
  const decision = decide(code, ENGINE_ATTEMPTS, ENGINE_ATTEMPTS);
  logger.warn('job failed', { jobId, code, reason: message, decision });
  if (code !== 'cancelled' && code !== 'source_changed') count('jobFailed');
  if (decision === 'escalate') count('escalated');
  return true;
}

/** Safe to send twice: publishing does once what it finds undone. */
export async function askToPublish(
  services: Pick<EndServices, 'table' | 'sqs' | 'publishQueueUrl'>,
  jobId: string,
): Promise<void> {
  const { mediaId, n } = parseJobId(jobId);
  const job = await getJob(services.table, mediaId, n);
  if (job?.state !== 'succeeded') return;
  await send(services.sqs, services.publishQueueUrl, { jobId } satisfies PublishMessage);
}

export async function readResult(
  services: Pick<EndServices, 's3' | 'mediaBucket'>,
  jobId: string,
): Promise<Result | null> {
  const key = `${tmpPrefix(jobId)}${RESULT_FILE}`;
  const text = await readText(services.s3, { bucket: services.mediaBucket, key });
  return text === null ? null : Result.parse(JSON.parse(text));
}

async function readClaim(services: EndServices, jobId: string): Promise<Claim | null> {
  const key = `${tmpPrefix(jobId)}${CLAIM_FILE}`;
  const text = await readText(services.s3, { bucket: services.mediaBucket, key });
  return text === null ? null : Claim.parse(JSON.parse(text));
}
