import { send } from '../../aws/queue.ts';
import { head } from '../../aws/s3.ts';
import { getCollection, getJob, getMedia, settle } from '../../aws/table.ts';
import type { PublishMessage } from '../../core/contracts/events.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import type { Succeeded } from '../../core/contracts/job.ts';
import { mediaKeys } from '../../core/contracts/keys.ts';
import type { JobRow, MediaRow } from '../../core/contracts/rows.ts';
import { DropreelError } from '../../core/jobs/errors.ts';
import { decideAccess, mayPublish, published, superseded } from '../../core/jobs/transitions.ts';
import { type PublishPlan, publishPlan, versionOf } from '../../core/publish/plan.ts';
import { otherPlace, pointerKeys, pointersTo } from '../../core/publish/pointers.ts';
import { failJob, readResult } from '../shared/end-job.ts';
import { logger } from '../shared/stack.ts';
import { cleanUp } from './clean-up.ts';
import { copyAll } from './copy-all.ts';
import { flip } from './flip.ts';
import { checkPlaylists, writeVersionMaster } from './playlists.ts';
import { graceUntil, type PublishServices } from './services.ts';

/** The work that must fit between noticing that time runs out and the end of the function. */
const RESERVE_MS = 30_000;

/**
 * Puts a job's output before viewers. Called again, at whatever point it stopped, it goes on from there: what is copied
 * stays copied, and until the one PUT of the master playlist viewers have the version before, whole.
 */
export async function publishJob(
  services: PublishServices,
  message: PublishMessage,
  remainingMs: () => number,
): Promise<void> {
  const { jobId } = message;
  const { mediaId, n } = parseJobId(jobId);
  logger.appendKeys({ jobId });
  const [job, media] = await Promise.all([getJob(services.table, mediaId, n), getMedia(services.table, mediaId)]);
  if (!job) return logger.info('the job is gone');
  if (job.state === 'succeeded') {
    const done = await publishSucceeded(services, job, media, message, () => remainingMs() < RESERVE_MS);
    if (!done) return;
  } else if (job.state !== 'published' && job.state !== 'cancelled') {
    return logger.info('nothing to publish', { state: job.state });
  }
  await cleanUp(services, mediaId, n);
}

/** False when the rest is left to a message that is on its way, or to nobody. */
async function publishSucceeded(
  services: PublishServices,
  job: JobRow,
  media: MediaRow | null,
  message: PublishMessage,
  timeIsUp: () => boolean,
): Promise<boolean> {
  const result = await readResult(services, job.jobId);
  if (result?.status !== 'succeeded') {
    // Another call of this function may have finished meanwhile, and cleaned up.
    const now = await getJob(services.table, job.mediaId, job.n);
    if (now?.state !== 'succeeded') return true;
    await failJob(services.table, job.jobId, 'publish_failed', 'The output of the job is no longer there.');
    return false;
  }
  if (await isFlipped(services, job)) return switchTo(services, job, result, publishPlan(job, result));
  const may = mayPublish(job, media);
  if (!may.ok) return supersede(services, job, may.why);
  const placed = await withAccess(services, job, media?.collectionId ?? job.collectionId);
  if (!placed) return false;
  const plan = publishPlan(placed, result);
  const copied = await makeVersion(services, placed, result, plan, message.copied ?? 0, timeIsUp);
  return copied === 'complete' && switchTo(services, placed, result, plan);
}

/** The job with its access: decided now, or by the call that began to copy. Null when it is no more to be published. */
async function withAccess(services: PublishServices, job: JobRow, collectionId: string): Promise<JobRow | null> {
  if (job.access) return job;
  const { table } = services;
  await settle(table, async () => {
    const row = await getJob(table, job.mediaId, job.n);
    return row
      ? decideAccess(row, await getCollection(table, job.creatorId, collectionId))
      : { none: 'the job is gone' };
  });
  const row = await getJob(table, job.mediaId, job.n);
  return row?.state === 'succeeded' && row.access ? row : null;
}

/** Everything of the version, up to what viewers can reach. */
async function makeVersion(
  services: PublishServices,
  job: JobRow,
  result: Succeeded,
  plan: PublishPlan,
  copiedBefore: number,
  timeIsUp: () => boolean,
): Promise<'complete' | 'continued' | 'failed'> {
  try {
    await checkPlaylists(services, plan, result);
    const copied = await copyAll(services, plan, copiedBefore, timeIsUp);
    if (copied < plan.copies.length) {
      logger.info('out of time, continued by a message', { copied, of: plan.copies.length });
      await send(services.sqs, services.publishQueueUrl, { jobId: job.jobId, copied } satisfies PublishMessage);
      return 'continued';
    }
    await writeVersionMaster(services, job, result);
    return 'complete';
  } catch (error) {
    if (!(error instanceof DropreelError)) throw error;
    await failJob(services.table, job.jobId, error.code, error.message);
    return 'failed';
  }
}

/** The pointers, then the rows. */
async function switchTo(
  services: PublishServices,
  job: JobRow,
  result: Succeeded,
  plan: PublishPlan,
): Promise<boolean> {
  const { table } = services;
  const pointers = pointersTo(job.creatorId, job.mediaId, job.n, plan.outputs, job.access);
  const left = pointerKeys(job.creatorId, job.mediaId, otherPlace(job.access));
  const flipped = await flip(services, job.jobId, { pointers, left }, async (masterJob, leftJob) => {
    // A newer version is in the other place: that one stays, and what this one has put here goes with clean-up.
    if (leftJob !== undefined && parseJobId(leftJob).n > job.n) return { ok: false, why: `${leftJob} is published` };
    // Viewers see this version already: the rest follows, whatever began since.
    if (masterJob === job.jobId) return { ok: true };
    return mayPublish(
      (await getJob(table, job.mediaId, job.n)) ?? { ...job, state: 'cancelled' },
      await getMedia(table, job.mediaId),
    );
  });
  if (!flipped.ok) return supersede(services, job, flipped.why);
  const outcome = await settle(table, async () => {
    const [row, media] = await Promise.all([getJob(table, job.mediaId, job.n), getMedia(table, job.mediaId)]);
    if (!row || !media) return { none: 'the rows are gone' };
    const now = new Date().toISOString();
    const version = versionOf(row, media, result, plan, now);
    return published(row, media, { version, result, now, graceUntil: graceUntil(services, now) });
  });
  if (!('none' in outcome)) logger.info('published', { version: job.n, bytes: plan.bytes, copies: plan.copies.length });
  else return supersede(services, job, outcome.none);
  return true;
}

/** Too late: a newer job decides. Does nothing to a job that is published after all. */
async function supersede(services: PublishServices, job: JobRow, why: string): Promise<boolean> {
  logger.info('not published', { why });
  const now = new Date().toISOString();
  await settle(services.table, async () => {
    const [row, media] = await Promise.all([
      getJob(services.table, job.mediaId, job.n),
      getMedia(services.table, job.mediaId),
    ]);
    return row ? superseded(row, media, why, now, graceUntil(services, now)) : { none: 'the job is gone' };
  });
  return true;
}

async function isFlipped(services: PublishServices, job: JobRow): Promise<boolean> {
  if (!job.access) return false;
  const key = mediaKeys(job.creatorId, job.mediaId, job.access).master;
  const master = await head(services.s3, { bucket: services.mediaBucket, key });
  return master?.metadata.job === job.jobId;
}
