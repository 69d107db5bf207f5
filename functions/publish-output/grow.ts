import { createHash } from 'node:crypto';
import { eachLimit } from '../../aws/concurrency.ts';
import { deleteIfMatch, head, putIfMatch, readText, TextTooLarge } from '../../aws/s3.ts';
import { applyWithRetry, getCollection, getJob, getMedia } from '../../aws/table.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import { GROWTH_FILE, growingFolder, mediaKeys } from '../../core/contracts/keys.ts';
import { PLAYLIST_TYPE } from '../../core/contracts/outputs.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { parseJson } from '../../core/contracts/text.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import { finishedGrowing, grown, isTakenBack, mayGrow } from '../../core/jobs/growing.ts';
import { decideAccess } from '../../core/jobs/transitions.ts';
import { extended, finished, Growth, growingPlaylist, playableSeconds } from '../../core/media/growing.ts';
import { type MediaPlaylist, readMediaPlaylist } from '../../core/media/media-playlist.ts';
import { BRIEF, IMMUTABLE, type TextObject } from '../../core/publish/plan.ts';
import { prefixUris, withComment } from '../../core/publish/playlist-uris.ts';
import { logger } from '../shared/observability.ts';
import { AT_ONCE, copyVerified } from './copy-all.ts';
import { gather } from './gather.ts';
import type { PublishServices } from './services.ts';

/** Another call writes the same growing version at this moment, and does what this one would. */
class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

/** Another release has written it, or it has become too large to be read. */
class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

/**
 * Shows viewers what there is of the first version of a media item while its film is encoded, or adds to it what there is by now. Called
 * again, at whatever point it stopped, it continues from there. What must not be shown any more is taken back.
 */
export async function growJob(services: PublishServices, jobId: string): Promise<void> {
  logger.appendKeys({ jobId });
  const { job, media } = await readRows(services, jobId);
  if (!job) return logger.info('the job is gone');
  const verdict = mayGrow(job, media);
  if (verdict !== 'allowed') {
    logger.info('nothing grows', { why: verdict.refused });
    if (isTakenBack(job, media)) await takeBack(services, job);
    return;
  }
  try {
    await grow(services, job);
  } catch (error) {
    if (!(error instanceof Overtaken)) throw error;
    logger.info('another call is at it');
  }
}

/** How often the end is tried while others write. */
const FINISH_TRIES = 5;

/**
 * Before the whole version replaces it: players that began with what was shown of it find the rest there, and their end. The whole version does
 * not wait for that where it cannot be done.
 * @param whole `texts`: its playlists; `folder`: where they lie
 */
export async function finishGrowing(services: PublishServices, job: JobRow, whole: Whole): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await finish(services, job, whole);
    } catch (error) {
      if (!(error instanceof Overtaken || error instanceof Unreadable)) throw error;
      if (tries === FINISH_TRIES || error instanceof Unreadable) {
        return logger.error('what was shown of it has no end', { jobId: job.jobId, error });
      }
    }
  }
}

interface Whole {
  texts: readonly TextObject[];
  folder: string;
}

async function finish(services: PublishServices, job: JobRow, { texts, folder }: Whole): Promise<void> {
  const read = await readGrowth(services, job);
  if (!read) return;
  const { growth } = read;
  if (growth.step > (job.growing?.step ?? 0)) await showLists(services, job, growth);
  if (growth.ended === undefined) {
    const bodies = new Map(texts.map(({ key, body }) => [key, body]));
    const lists = growth.lists.map(async ({ file }) => {
      const key = `${folder}${file}.m3u8`;
      const text = bodies.get(key) ?? (await readText(services.s3, { bucket: services.mediaBucket, key }));
      const playlist = text === null ? null : readWhole(text);
      return playlist ? [[file, playlist] as const] : [];
    });
    const prefix = `../v${job.n}/`;
    const end = finished(growth, new Map((await Promise.all(lists)).flat()), prefix);
    await putGrowth(services, job, end, read.etag);
    await showLists(services, job, end);
    await record(services, job, end);
  } else await record(services, job, growth);
}

/** Null where it is not as our workers write them. */
function readWhole(text: string): MediaPlaylist | null {
  try {
    return readMediaPlaylist(text);
  } catch (error) {
    logger.warn('a playlist cannot be read', { error });
    return null;
  }
}

/** Removes the pointer by which viewers reach what was shown of a job; sweep removes the rest. */
export async function takeBack(services: PublishServices, job: JobRow): Promise<void> {
  if (!job.access) return;
  const { s3, mediaBucket: bucket } = services;
  const key = mediaKeys(job.creatorId, job.mediaId, job.access).master;
  const master = await head(s3, { bucket, key });
  if (master?.metadata.growing !== job.jobId) return;
  // On a conflict, another call has removed it, or another version is there.
  await deleteIfMatch(s3, { bucket, key }, master.etag);
  logger.info('taken back');
}

async function readRows({ table }: PublishServices, jobId: string) {
  const { mediaId, n } = parseJobId(jobId);
  const [job, media] = await Promise.all([getJob(table, mediaId, n), getMedia(table, mediaId)]);
  return { job, media };
}

async function grow(services: PublishServices, read: JobRow): Promise<void> {
  const job = await withAccess(services, read);
  if (!job) return;
  const there = await readGrowth(services, job);
  if (there && there.growth.step > (job.growing?.step ?? 0)) await show(services, job, there.growth);
  const gathered = await gather(services, job, there?.growth ?? null);
  const growth = gathered && extended(gathered.growth, gathered.found, gathered.next);
  if (!growth) return;
  const folder = folderOf(job);
  await eachLimit(gathered.found, AT_ONCE, async ({ uri, from, file }) => {
    await copyVerified(services, { ...file, from, to: `${folder}${uri}`, cacheControl: IMMUTABLE });
  });
  await putGrowth(services, job, growth, there?.etag ?? null);
  await show(services, job, growth);
  logger.info('grown', { step: growth.step, copies: gathered.found.length });
}

/** The job with its access, which the whole version keeps; null where nothing of it is to be shown any more. */
async function withAccess(services: PublishServices, read: JobRow): Promise<JobRow | null> {
  if (read.access) return read;
  const { table } = services;
  const outcome = await applyWithRetry(table, async (): Promise<Outcome<{ job: JobRow }>> => {
    const { job, media } = await readRows(services, read.jobId);
    if (!job) return { refused: 'the job is gone' };
    const verdict = mayGrow(job, media);
    if (verdict !== 'allowed') return verdict;
    const collection = await getCollection(table, job.creatorId, media?.collectionId ?? job.collectionId);
    const decided = decideAccess(job, collection, undefined);
    return 'refused' in decided ? decided : { ...decided, job: { ...job, access: decided.access } };
  });
  if (!('refused' in outcome)) return outcome.job;
  const { job, media } = await readRows(services, read.jobId);
  return job?.access && mayGrow(job, media) === 'allowed' ? job : null;
}

function folderOf({ creatorId, mediaId, n, access }: JobRow): string {
  return growingFolder(creatorId, mediaId, n, access);
}

/** @throws Unreadable */
async function readGrowth(
  { s3, mediaBucket: bucket }: PublishServices,
  job: JobRow,
): Promise<{ growth: Growth; etag: string } | null> {
  const text = await readText(s3, { bucket, key: `${folderOf(job)}${GROWTH_FILE}` }).catch((error: unknown) => {
    throw error instanceof TextTooLarge ? new Unreadable(error.message) : error;
  });
  if (text === null) return null;
  const { data, error } = Growth.safeParse(parseJson(text));
  if (!data) throw new Unreadable(`${GROWTH_FILE}: ${error.message}`);
  return { growth: data, etag: etagOf(text) };
}

/** @throws Overtaken where another call was first */
async function putGrowth(services: PublishServices, job: JobRow, growth: Growth, etag: string | null): Promise<void> {
  const key = `${folderOf(job)}${GROWTH_FILE}`;
  const body = JSON.stringify(growth);
  const object = { bucket: services.mediaBucket, key, body, contentType: 'application/json', cacheControl: BRIEF };
  if ((await putIfMatch(services.s3, object, etag)) === 'conflict') throw new Overtaken();
}

/** Writes the playlists and, the first time, the master playlist; then the rows. */
async function show(services: PublishServices, job: JobRow, growth: Growth): Promise<void> {
  await showLists(services, job, growth);
  if (!job.growing) await putMaster(services, job, growth);
  const outcome = await applyWithRetry(services.table, async () => {
    const rows = await readRows(services, job.jobId);
    if (!rows.job) return { refused: 'the job is gone' };
    const now = new Date().toISOString();
    return grown(rows.job, rows.media, { step: growth.step, seconds: playableSeconds(growth).both, now });
  });
  if (!('refused' in outcome)) return;
  const { job: row, media } = await readRows(services, job.jobId);
  if (isTakenBack(row, media)) await takeBack(services, job);
}

/** A playlist is replaced only as it was after the step before, so that it never gets shorter, whoever comes late. */
async function showLists(services: PublishServices, job: JobRow, growth: Growth): Promise<void> {
  const { s3, mediaBucket: bucket } = services;
  for (const { file } of growth.lists) {
    const [before, body] = [growth.step - 1, growth.step].map((step) => growingPlaylist(growth, file, step));
    if (body === before || body === null || body === undefined) continue;
    const key = `${folderOf(job)}${file}.m3u8`;
    const object = { bucket, key, body, contentType: PLAYLIST_TYPE, cacheControl: BRIEF };
    if ((await putIfMatch(s3, object, before ? etagOf(before) : null)) === 'written') continue;
    // It is there where a call was stopped after it, or where another is at it.
    if ((await head(s3, { bucket, key }))?.etag !== etagOf(body)) throw new Overtaken();
  }
}

async function putMaster(services: PublishServices, job: JobRow, { master }: Growth): Promise<void> {
  const { s3, mediaBucket: bucket } = services;
  const key = mediaKeys(job.creatorId, job.mediaId, job.access).master;
  const before = await head(s3, { bucket, key });
  if (before?.metadata.growing === job.jobId) return;
  if (before?.metadata.job !== undefined) throw new Overtaken();
  const body = withComment(prefixUris(master, `g${job.n}/`), job.jobId);
  const metadata = { growing: job.jobId };
  const object = { bucket, key, body, contentType: PLAYLIST_TYPE, cacheControl: BRIEF, metadata };
  if ((await putIfMatch(s3, object, before?.etag ?? null)) === 'conflict') throw new Overtaken();
}

async function record({ table }: PublishServices, job: JobRow, growth: Growth): Promise<void> {
  const { step } = growth;
  const seconds = playableSeconds(growth).both;
  await applyWithRetry(table, async () => {
    const row = await getJob(table, job.mediaId, job.n);
    return row
      ? finishedGrowing(row, { step, seconds, now: new Date().toISOString() })
      : { refused: 'the job is gone' };
  });
}

/**
 * What S3 calls an object of one PUT, without a key of KMS: its MD5. https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
 */
function etagOf(body: string): string {
  return `"${createHash('md5').update(body).digest('hex')}"`;
}
