import { send } from '../../aws/queue.ts';
import { head } from '../../aws/s3.ts';
import { applyWithRetry, getCollection, getJob, getMedia } from '../../aws/table.ts';
import { DropreelError } from '../../core/contracts/errors.ts';
import type { PublishMessage } from '../../core/contracts/events.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import type { Succeeded } from '../../core/contracts/job.ts';
import { mediaKeys, versionPlaces } from '../../core/contracts/keys.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import { decideAccess, mayPublish, published, superseded } from '../../core/jobs/transitions.ts';
import { type PublishPlan, publishPlan, type TextObject, versionOf } from '../../core/publish/plan.ts';
import { otherPlace, pointerKeys, pointersTo } from '../../core/publish/pointers.ts';
import { plus } from '../../core/time.ts';
import { costOf } from '../shared/cost.ts';
import { readEncoding } from '../shared/encoding.ts';
import { failJob, readResult } from '../shared/end-job.ts';
import { logger } from '../shared/observability.ts';
import { askToSubmit } from '../shared/upload-event.ts';
import { cleanUp } from './clean-up.ts';
import { copyAll } from './copy-all.ts';
import { finishGrowing } from './grow.ts';
import { checkPlaylists, textsOf, writeTexts } from './playlists.ts';
import type { PublishServices } from './services.ts';
import { switchPointers } from './switch-pointers.ts';

/** Reserved for the work between noticing that time runs out and the end of the function. */
const RESERVE_MS = 30_000;

/**
 * Publishes a job's output to viewers. Called again, at whatever point it stopped, it continues from there: what is copied stays copied,
 * and until the one PUT of the master playlist viewers have the version before, whole.
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
    const timeIsUp = () => remainingMs() < RESERVE_MS;
    if ((await publishSucceeded(services, { job, media }, message, timeIsUp)) === 'kept') return;
  } else if (job.state !== 'published' && job.state !== 'cancelled') {
    return logger.info('nothing to publish', { state: job.state });
  }
  await cleanUp(services, mediaId, n);
}

/**
 * `ended`: the job is published or cancelled, and what it left can be removed. `kept`: a later message continues, or the job has failed.
 */
type End = 'ended' | 'kept';

async function publishSucceeded(
  services: PublishServices,
  { job, media }: { job: JobRow; media: MediaRow | null },
  message: PublishMessage,
  timeIsUp: () => boolean,
): Promise<End> {
  const result = await readResult(services, job.jobId);
  if (result?.status !== 'succeeded') {
    // Another call of this function may have finished meanwhile, and cleaned up.
    const now = await getJob(services.table, job.mediaId, job.n);
    if (now?.state !== 'succeeded') return 'ended';
    const message = 'The output of the job no longer exists.';
    await failJob(services, job.jobId, { code: 'publish_failed', message });
    return 'kept';
  }
  if (await isSwitched(services, job)) return switchTo(services, versionOfJob(job, result));
  const verdict = mayPublish(job, media);
  if (verdict !== 'allowed') return supersede(services, job, result, verdict.refused);
  const placed = await withAccess(services, { job, media });
  if (!placed) return 'kept';
  const version = versionOfJob(placed.job, result);
  const earlier = { made: message.copied ?? 0, any: placed.decided === 'before' };
  const made = await makeVersion(services, version, earlier, timeIsUp);
  if (made !== 'complete') return 'kept';
  // Whatever is shown of it lies where an earlier call has decided.
  if (placed.decided === 'before') {
    const { streams } = versionPlaces(job.creatorId, job.mediaId, job.n, placed.job.access);
    await finishGrowing(services, placed.job, { texts: version.texts, folder: streams.master });
  }
  return switchTo(services, version);
}

/** A version that is being published, and all that follows from its result. */
interface Version {
  job: JobRow;
  result: Succeeded;
  plan: PublishPlan;
  texts: TextObject[];
}

function versionOfJob(job: JobRow, result: Succeeded): Version {
  const plan = publishPlan(job, result);
  return { job, result, plan, texts: textsOf(job, plan, result) };
}

/** As far as they are known. */
interface Rows {
  job: JobRow | null;
  media: MediaRow | null;
}

async function readRows({ table }: PublishServices, { mediaId, n }: Pick<JobRow, 'mediaId' | 'n'>): Promise<Rows> {
  const [job, media] = await Promise.all([getJob(table, mediaId, n), getMedia(table, mediaId)]);
  return { job, media };
}

/**
 * The job with its access: decided `now`, or by a call `before`, which may have copied some of it. Null when it is no longer to be
 * published.
 */
async function withAccess(
  services: PublishServices,
  read: { job: JobRow; media: MediaRow | null },
): Promise<{ job: JobRow; decided: 'now' | 'before' } | null> {
  if (read.job.access) return { job: read.job, decided: 'before' };
  const { table } = services;
  let known: Rows | undefined = read;
  const outcome = await applyWithRetry(table, async (): Promise<Outcome<{ job: JobRow }>> => {
    const { job, media } = known ?? (await readRows(services, read.job));
    known = undefined;
    if (!job) return { refused: 'the job is gone' };
    const collection = await getCollection(table, job.creatorId, media?.collectionId ?? job.collectionId);
    const decided = decideAccess(job, collection, media?.current);
    return 'refused' in decided ? decided : { ...decided, job: { ...job, access: decided.access } };
  });
  if (!('refused' in outcome)) return { job: outcome.job, decided: 'now' };
  const row = await getJob(table, read.job.mediaId, read.job.n);
  return row?.state === 'succeeded' && row.access ? { job: row, decided: 'before' } : null;
}

/** Makes everything of the version except the pointers, through which viewers reach it. */
async function makeVersion(
  services: PublishServices,
  { job, result, plan, texts }: Version,
  earlier: { made: number; any: boolean },
  timeIsUp: () => boolean,
): Promise<'complete' | 'continued' | 'failed'> {
  try {
    await checkPlaylists(services, plan, texts);
    const copied = await copyAll(services, plan, earlier, timeIsUp);
    if (copied < plan.copies.length) {
      logger.info('out of time, continued by a message', { copied, of: plan.copies.length });
      await send(services.sqs, services.publishQueueUrl, { jobId: job.jobId, copied } satisfies PublishMessage);
      return 'continued';
    }
    await writeTexts(services, texts);
    return 'complete';
  } catch (error) {
    if (!(error instanceof DropreelError)) throw error;
    const { code, message } = error;
    await failJob(services, job.jobId, { code, message, costFor: (row) => costOf(row, result) });
    return 'failed';
  }
}

/** Writes the pointers, then the rows. */
async function switchTo(services: PublishServices, { job, result, plan, texts }: Version): Promise<End> {
  const { table } = services;
  let known: Rows | undefined;
  const pointers = pointersTo({ ...job, outputs: plan.outputs });
  const otherKeys = pointerKeys(job.creatorId, job.mediaId, otherPlace(job.access));
  const place = { pointers, otherKeys, texts: new Map(texts.map(({ key, body }) => [key, body])) };
  const switched = await switchPointers(services, job.jobId, place, async (masterJob, otherJob) => {
    // A newer version is in the other place: that one stays, and clean-up removes what this one has put here.
    if (otherJob !== undefined && parseJobId(otherJob).n > job.n) return { refused: `${otherJob} is published` };
    // Viewers already see this version, so the remaining steps follow, whatever began since.
    if (masterJob === job.jobId) return 'allowed';
    known = await readRows(services, job);
    return mayPublish(known.job ?? { ...job, state: 'cancelled' }, known.media);
  });
  if (switched !== 'switched') return supersede(services, job, result, switched.refused);
  const outcome = await applyWithRetry(table, async (): Promise<Outcome<{ next?: JobRow; media?: MediaRow }>> => {
    // In the first round those of before the switch: if they have changed since, the change is lost.
    const { job: row, media } = known ?? (await readRows(services, job));
    known = undefined;
    if (!row || !media) return { refused: 'the rows are gone' };
    const now = new Date().toISOString();
    const version = versionOf(row, media, { result, plan, now });
    const encoding = media.pending && (await readEncoding(table, media));
    const graceUntil = plus(now, { hours: services.graceHours });
    const publication = { version, result, now, graceUntil, encoding, cost: costOf(row, result) };
    return { ...published(row, media, publication), media };
  });
  if ('refused' in outcome) return supersede(services, job, result, outcome.refused);
  logger.info('published', { version: job.n, bytes: plan.bytes, copies: plan.copies.length });
  if (outcome.next && outcome.media) await askToSubmit(services, outcome.media);
  return 'ended';
}

/** Too late: a newer job decides. Does nothing to a job that is published after all. */
async function supersede(services: PublishServices, job: JobRow, result: Succeeded, why: string): Promise<End> {
  logger.info('not published', { why });
  const now = new Date().toISOString();
  await applyWithRetry(services.table, async () => {
    const { job: row, media } = await readRows(services, job);
    if (!row) return { refused: 'the job is gone' };
    const graceUntil = plus(now, { hours: services.graceHours });
    return superseded(row, media, { why, now, graceUntil, cost: costOf(row, result) });
  });
  return 'ended';
}

async function isSwitched(services: PublishServices, job: JobRow): Promise<boolean> {
  if (!job.access) return false;
  const key = mediaKeys(job.creatorId, job.mediaId, job.access).master;
  const master = await head(services.s3, { bucket: services.mediaBucket, key });
  return master?.metadata.job === job.jobId;
}
