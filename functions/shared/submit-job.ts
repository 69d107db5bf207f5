import type { S3Client } from '@aws-sdk/client-s3';
import { callbackSecret, hintToken } from '../../aws/engine-key.ts';
import { apply, applyWithRetry, getJob, getMedia } from '../../aws/table.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { SourceInfo } from '../../core/contracts/table/media.ts';
import { hasEnded } from '../../core/jobs/rows.ts';
import { engineAccepted, jobFor, notSubmitted, waitForSource } from '../../core/jobs/transitions.ts';
import { type Engine, EngineRefused, NotAsked, type Submission } from '../../engines/engine.ts';
import { cancelJob } from './cancel-job.ts';
import { type Decided, type DecideServices, decideSubmission, type Moves } from './decide-submission.ts';
import { presetOf } from './encoding.ts';
import { claimsIn } from './end-job.ts';
import { logger } from './observability.ts';
import { noteFailure, noteSuccess } from './outages.ts';
import { whatRestores } from './restore-source.ts';

/** What is needed to submit a job to its engine. */
export interface SubmitServices extends DecideServices {
  s3: S3Client;
  mediaBucket: string;
}

/**
 * Submits a queued job to the engine that its row names, or to the one that is chosen now for `auto`, and notes the engine's id of it. Of
 * several simultaneous calls one does; stopped half-way, it can be called again after a while: the engine's job of that name is then found
 * instead of made.
 * @param ofSource `known`: it was read a moment ago; `look`: whether it is in an archive; `restore`: also bring it back, which sweep may do
 * @returns `held`: there is no room for it under a cap, or its source is being restored; a `Moves`: another engine is to have it under another number
 * @throws EngineRefused when the engine did not accept it, or this deployment has no such engine; after any other error it is unknown
 * whether it did
 */
export async function submitJob(
  services: SubmitServices,
  { jobId, mediaId, n }: JobRow,
  ofSource: 'known' | 'look' | 'restore' = 'known',
): Promise<'submitted' | 'held' | 'not now' | Moves> {
  const { table, engines } = services;
  if (ofSource !== 'known' && (await waitsForSource(services, { mediaId, n }, ofSource === 'restore'))) return 'held';
  let info: SourceInfo = {};
  const decided = await applyWithRetry(table, async (): Promise<Decided> => {
    const [row, media] = await Promise.all([getJob(table, mediaId, n), getMedia(table, mediaId)]);
    if (!row) return { refused: 'the job is gone' };
    // What is known of the media item's source is that of its current job's.
    info = (media?.jobId === jobId && media.sourceInfo) || {};
    return decideSubmission(services, row, media, info);
  });
  if ('refused' in decided) {
    logger.info('not submitted', { jobId, why: decided.refused });
    return decided.moves ?? 'not now';
  }
  if ('waits' in decided) {
    logger.warn('not submitted', { jobId, code: decided.waits });
    return decided.waits === 'cap_reached' ? 'held' : 'not now';
  }
  const { job, tried, deadlineSeconds } = decided;
  const engineJobId = await submitLeased(services, engines.get(job.engine), job, { info, tried, deadlineSeconds });
  const submitted = { engineJobId, part: job.part };
  let row: JobRow | null | undefined;
  const noted = await applyWithRetry(table, async () => {
    const [read, media] = await Promise.all([getJob(table, mediaId, n), getMedia(table, mediaId)]);
    row = read;
    return read ? engineAccepted(read, media, submitted, new Date().toISOString()) : { refused: 'the job is gone' };
  });
  // Its first sign of life would end it too, which comes late where it waits in a queue.
  if (isInVain(row, submitted)) await cancelJob(services, { ...job, engineJobId }, 'the job is over');
  // The engine has the job, whether or not this can be noted.
  const service = engines.servedBy(job);
  await noteSuccess(table, service).catch((error: unknown) => logger.warn('success not noted', { jobId, error }));
  logger.info('submitted', {
    jobId,
    ...(job.part !== undefined && { part: job.part }),
    engine: job.engine,
    engineJobId,
    tried,
    ...('refused' in noted && { notNoted: noted.refused }),
  });
  return 'submitted';
}

/**
 * Whether nobody waits for what an engine was given: meanwhile the job has ended or gone on, or another submission of this part is known, and
 * no claim decides between the two.
 */
function isInVain(
  row: JobRow | null | undefined,
  { engineJobId, part }: { engineJobId: string; part: string | undefined },
): boolean {
  if (!row || hasEnded(row) || row.part !== part) return true;
  const isSecond = row.engineJobId !== undefined && row.engineJobId !== engineJobId;
  return isSecond && claimsIn(part).length === 0;
}

/** Whether its source must be restored first. The later parts of a job, and one that its engine may have, go on. */
async function waitsForSource(
  services: SubmitServices,
  { mediaId, n }: Pick<JobRow, 'mediaId' | 'n'>,
  mayAsk: boolean,
): Promise<boolean> {
  const { table, mediaBucket } = services;
  const outcome = await applyWithRetry(table, async () => {
    const [job, media] = await Promise.all([getJob(table, mediaId, n), getMedia(table, mediaId)]);
    const isOpen = job?.state === 'queued' && job.part === undefined && job.submittingUntil === undefined;
    if (!isOpen || job.source.bucket === mediaBucket) return { refused: 'its source is not waited for' };
    const known = media?.error?.code === 'source_restoring' ? media.restoring : undefined;
    const restoring = await whatRestores(services, job, job.source, { known, mayAsk });
    if (!restoring) return { refused: 'its source can be read' };
    logger.info('waits for its source', { jobId: job.jobId, restoring });
    return waitForSource(job, media, restoring, { now: new Date().toISOString(), isAsked: mayAsk });
  });
  return !('refused' in outcome);
}

async function submitLeased(
  { table, engines, mediaBucket }: SubmitServices,
  engine: Engine,
  row: JobRow,
  { info, tried, deadlineSeconds }: Pick<Submission, 'info' | 'tried' | 'deadlineSeconds'>,
): Promise<string> {
  const { purpose, onDemand = false, part, submissions = 1 } = row;
  const job = jobFor(row, presetOf(row), mediaBucket);
  const access = async () => {
    try {
      return { secret: await callbackSecret(table, row.jobId), hintToken: await hintToken(table, row.jobId) };
    } catch (error) {
      throw new NotAsked(error);
    }
  };
  try {
    return await engine.submit({
      ...{ job, info, access, purpose, onDemand, tried, part, number: submissions },
      ...(deadlineSeconds !== undefined && { deadlineSeconds }),
    });
  } catch (error) {
    // This call was refused; an earlier one may have been accepted, of which the engine reports within the lease.
    if (error instanceof EngineRefused && !tried) await apply(table, notSubmitted(row));
    await noteFailure(table, engines.servedBy(row), error);
    throw error;
  }
}
