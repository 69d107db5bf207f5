import type { S3Client } from '@aws-sdk/client-s3';
import type { z } from 'zod';
import { send } from '../../aws/queue.ts';
import { readText, TextTooLarge } from '../../aws/s3.ts';
import { applyWithRetry, getJob, getMedia, type Table } from '../../aws/table.ts';
import { decide, ERRORS, type ErrorCode } from '../../core/contracts/errors.ts';
import type { PublishMessage } from '../../core/contracts/events.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import { Claim, type Failed, Result, type Succeeded } from '../../core/contracts/job.ts';
import { CLAIM_FILE, JOIN_CLAIM_FILE, PREPARE_CLAIM_FILE, RESULT_FILE, tmpPrefix } from '../../core/contracts/keys.ts';
import type { Refused } from '../../core/contracts/refused.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { MediaRow, SourceInfo } from '../../core/contracts/table/media.ts';
import { parseJson } from '../../core/contracts/text.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import type { Held } from '../../core/jobs/cost.ts';
import { costKnown, jobFailed, jobSucceeded, stillWaiting } from '../../core/jobs/transitions.ts';
import { readPart } from '../../engines/batch/parts.ts';
import type { EngineEnd, OfJob } from '../../engines/engine.ts';
import { ENCODE } from '../../engines/mediaconvert/parts.ts';
import { costOf, costOfFailed } from './cost.ts';
import { readEncoding } from './encoding.ts';
import { count, logger } from './observability.ts';
import { askToSubmit, type IngestQueue } from './upload-event.ts';

export interface EndServices extends IngestQueue {
  table: Table;
  s3: S3Client;
  mediaBucket: string;
  publishQueueUrl: string;
}

/**
 * Handles the end of an engine job. What the worker left under tmp/ says how it ended, whatever the engine says: a good result is the
 * truth, whichever engine job ended. Any other end counts only for the engine job that has the claim or, before there is a claim, for the
 * one that the row names: the end of a duplicate has no effect.
 */
export async function endJob(
  services: EndServices,
  { jobId, engineJobId, part, end }: OfJob & { end: EngineEnd },
): Promise<'succeeded' | 'failed' | 'ignored'> {
  const result = await readResult(services, jobId);
  if (result?.status === 'succeeded') {
    await takeResult(services, result, end.held);
    return 'succeeded';
  }
  const claim = await readClaim(services, { jobId, part });
  const { code, message } = explain(result, end);
  const unless = (job: JobRow) => whyOfAnother(job, { engineJobId, part }, claim);
  const costFor = (job: JobRow) => costOfFailed(job, end);
  const { reclaimed, onlyAttempt } = end;
  const how = { code, message, reclaimed, onlyAttempt, costFor, found: result?.source, unless };
  const failed = await failJob(services, jobId, how);
  if (failed === 'failed') return 'failed';
  await noteCost(services.table, jobId, (job) => (unless(job) ? undefined : costFor(job)));
  if (claim && claim.engineJobId !== engineJobId) await noteClaim(services.table, claim, part);
  return 'ignored';
}

/**
 * The job's output is whole: it waits to be published, unless the job had ended before.
 * @param held by its engine job, where that is known
 */
export async function takeResult(services: EndServices, result: Succeeded, held?: Held): Promise<void> {
  const { mediaId, n } = parseJobId(result.jobId);
  const outcome = await applyWithRetry(services.table, async () => {
    const job = await getJob(services.table, mediaId, n);
    return job ? jobSucceeded(job, result, new Date().toISOString(), held) : { refused: 'the job is gone' };
  });
  if ('refused' in outcome) await noteCost(services.table, result.jobId, (job) => costOf(job, result));
  else if (result.gpu?.encode === false) {
    logger.warn('a worker with a GPU has encoded in software', { jobId: result.jobId, why: result.gpu.why });
    count('gpuUnused');
  }
  await askToPublish(services, result.jobId);
}

/** Notes the cost of a job that was ended, as by a deletion or by sweep, before its engine job: the cost is known only now. */
export async function noteCost(table: Table, jobId: string, costFor: (job: JobRow) => JobRow['cost']): Promise<void> {
  const { mediaId, n } = parseJobId(jobId);
  await applyWithRetry(table, async () => {
    const job = await getJob(table, mediaId, n);
    return job ? costKnown(job, costFor(job)) : { refused: 'the job is gone' };
  });
}

/** Why the end of an engine job does not end its job, by the job's row as it is when that is written; null where it does. */
function whyOfAnother(
  job: JobRow,
  { engineJobId, part }: Pick<OfJob, 'engineJobId' | 'part'>,
  claim: Claim | null,
): Refused | null {
  // Its result came after the look for it.
  if (job.state === 'succeeded') return { refused: 'the job is succeeded' };
  if (job.part !== part) return { refused: 'of another part' };
  const holder = claim?.engineJobId ?? job.engineJobId;
  return holder === undefined || holder === engineJobId ? null : { refused: 'of another engine job' };
}

async function noteClaim(table: Table, { jobId, engineJobId }: Claim, part: string | undefined): Promise<void> {
  const { mediaId, n } = parseJobId(jobId);
  await applyWithRetry(table, async () => {
    const job = await getJob(table, mediaId, n);
    if (!job || job.engineJobId === engineJobId) return { refused: 'the claim is known' };
    if (job.part !== part) return { refused: 'of an earlier part' };
    return stillWaiting(job, job.todoAt ?? new Date().toISOString(), { engineJobId });
  });
}

function explain(result: Failed | null, { by, reason }: EngineEnd): EngineEnd['reason'] {
  // An earlier attempt's result does not explain how a later one was stopped.
  if (!result || by === 'outside') return reason;
  return by === 'itself' || !ERRORS[result.error.code].transient ? result.error : reason;
}

/**
 * Ends a job as failed, and counts it. The next job that its media item continues with, if there is one, is asked to be submitted.
 * @param how `reclaimed`: the machine was taken away; `costFor` where more is known of its cost than its row says; `found`: what the worker
 *   learnt of the source; `movesFrom`: as of `jobFailed`; `unless`: why it does not end after all, by its row as it is now
 */
export async function failJob(
  services: Pick<EndServices, 'table' | 'sqs' | 'ingestQueueUrl' | 'publishQueueUrl'>,
  jobId: string,
  how: {
    code: ErrorCode;
    message: string;
    reclaimed?: true | undefined;
    onlyAttempt?: true | undefined;
    costFor?: (job: JobRow) => JobRow['cost'];
    found?: SourceInfo | undefined;
    movesFrom?: string;
    unless?: (job: JobRow) => Refused | null;
  },
): Promise<'failed' | 'ended before'> {
  const { table } = services;
  const {
    code,
    message,
    reclaimed = false,
    onlyAttempt = false,
    costFor = costOfFailed,
    found,
    movesFrom,
    unless,
  } = how;
  const { mediaId, n } = parseJobId(jobId);
  const outcome = await applyWithRetry(
    table,
    async (): Promise<Outcome<{ job?: JobRow; next?: JobRow; media?: MediaRow | null }>> => {
      const [job, media] = await Promise.all([getJob(table, mediaId, n), getMedia(table, mediaId)]);
      if (!job) return { refused: 'the job is gone' };
      const refused = unless?.(job);
      if (refused) return refused;
      const encoding = await readEncoding(table, media ?? job);
      const next = { ...encoding, reclaimed, onlyAttempt, cost: costFor(job), found, movesFrom };
      return { ...jobFailed(job, media, { code, message, at: new Date().toISOString() }, next), job, media };
    },
  );
  if ('refused' in outcome) {
    logger.info('not failed', { jobId, why: outcome.refused });
    return 'ended before';
  }
  const { next, media } = outcome;
  // The engine has made all its own attempts by now.
  const decision = next ? 'retry' : decide(code, 1, 1);
  logger.warn('job failed', { jobId, code, reason: message, decision, ...(next && { next: next.jobId }) });
  if (code !== 'cancelled' && code !== 'source_changed') count('jobFailed');
  if (decision === 'escalate') count('escalated');
  if (next && media) await askToSubmit(services, media);
  // Viewers must not begin with what there is of it any more. Where this is lost, sweep does it.
  if (outcome.job?.access) await askToGrow(services, jobId);
  return 'failed';
}

/** What there is of a job is to be published while it is under way, or to be taken back when it has failed. Safe to send twice. */
export async function askToGrow(services: Pick<EndServices, 'sqs' | 'publishQueueUrl'>, jobId: string): Promise<void> {
  await send(services.sqs, services.publishQueueUrl, { jobId, grow: true } satisfies PublishMessage);
}

/** Safe to send twice: publishing is idempotent. */
export async function askToPublish(
  services: Pick<EndServices, 'table' | 'sqs' | 'publishQueueUrl'>,
  jobId: string,
): Promise<void> {
  const { mediaId, n } = parseJobId(jobId);
  const job = await getJob(services.table, mediaId, n);
  if (job?.state !== 'succeeded') return;
  await send(services.sqs, services.publishQueueUrl, { jobId } satisfies PublishMessage);
}

/**
 * What the worker left: null before it has. One that is not a result of this very job counts as a failed one, because an attacker that
 * controls a worker may have written it.
 */
export async function readResult(
  services: Pick<EndServices, 's3' | 'mediaBucket'>,
  jobId: string,
): Promise<Result | null> {
  const file = await readFromWorker(services, jobId, RESULT_FILE, Result);
  if (file !== 'unreadable') return file;
  return { status: 'failed', jobId, error: { code: 'worker_bug', message: 'The worker left an unreadable result.' } };
}

/**
 * Of the worker that does all or finishes; before there is one, in a job's first part, that of the worker which prepares. One that is not on
 * this very job is ignored: then the row names the engine job.
 */
async function readClaim(
  services: EndServices,
  { jobId, part }: { jobId: string; part: string | undefined },
): Promise<Claim | null> {
  for (const name of claimsIn(part)) {
    const file = await readFromWorker(services, jobId, name, Claim);
    if (file !== null && file !== 'unreadable') return file;
  }
  return null;
}

/** Where a worker may have claimed a job that is in this part. Those of chunks claim nothing, and MediaConvert has no worker of ours. */
export function claimsIn(part: string | undefined): string[] {
  if (part === undefined) return [CLAIM_FILE, PREPARE_CLAIM_FILE];
  if (part === ENCODE) return [];
  const film = readPart(part);
  if (film) return film.name === 'join' ? [JOIN_CLAIM_FILE] : [];
  return [CLAIM_FILE];
}

async function readFromWorker<Content extends { jobId: string }>(
  { s3, mediaBucket }: Pick<EndServices, 's3' | 'mediaBucket'>,
  jobId: string,
  file: string,
  schema: z.ZodType<Content>,
): Promise<Content | null | 'unreadable'> {
  const text = await readText(s3, { bucket: mediaBucket, key: `${tmpPrefix(jobId)}${file}` }).catch((error) => {
    if (error instanceof TextTooLarge) return '';
    throw error;
  });
  if (text === null) return null;
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success && parsed.data.jobId === jobId) return parsed.data;
  logger.error('a file of a job cannot be read', { jobId, file, error: parsed.error });
  return 'unreadable';
}
