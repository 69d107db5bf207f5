import { apply, applyWithRetry, getCollection, getJob, getMedia, getRow, type Table } from '../../aws/table.ts';
import type { ObjectCreated } from '../../core/contracts/events.ts';
import { mediaIdFor, parseJobId } from '../../core/contracts/ids.ts';
import { parseDropKey } from '../../core/contracts/keys.ts';
import { CollectionTombstoneRow } from '../../core/contracts/table/collections.ts';
import { BadKeyRow } from '../../core/contracts/table/health.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { apiKeys, rowKeys } from '../../core/contracts/table/keys.ts';
import { type MediaRow, type Source, TombstoneRow, UploadRow } from '../../core/contracts/table/media.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import { isLate, isOriginalDeleted, rememberLate } from '../../core/jobs/late-upload.ts';
import { overQuota, QuotaRow, type Quotas, quotaKey, secondsOf, take } from '../../core/jobs/quota.ts';
import { hasEnded } from '../../core/jobs/rows.ts';
import { sequencerOver, uploadOf } from '../../core/jobs/sources.ts';
import {
  acceptUpload,
  isOwn,
  isUnderWay,
  newCollection,
  rejectUpload,
  uploadWaits,
  whyIgnored,
} from '../../core/jobs/transitions.ts';
import type { ReceivedUpload } from '../../core/jobs/upload.ts';
import { scratchNeeded } from '../../core/media/plan.ts';
import { cancelJob } from '../shared/cancel-job.ts';
import { costOfFailed } from '../shared/cost.ts';
import { encodingOf } from '../shared/encoding.ts';
import { noteCost } from '../shared/end-job.ts';
import { count, logger } from '../shared/observability.ts';
import { type SubmitServices, submitJob } from '../shared/submit-job.ts';
import { type Accepted, type Finding, refused } from './finding.ts';
import { isThere, newestUploadInS3 } from './newest.ts';
import { preflight } from './preflight.ts';

export interface IngestServices extends SubmitServices {
  maxUploadBytes: number;
  /** Bytes of a worker's disk. */
  scratchBytes: number;
  quotas: Quotas;
  /** Path of the built probe.child.mjs; absent where the upload's container is not to be parsed here. */
  parser?: string | undefined;
}

/**
 * Handles an object that landed under drop/. Called again, at whatever point it stopped, it continues from there.
 * @param landedAt Time of its event.
 */
export async function ingest(
  services: IngestServices,
  { bucket, object }: ObjectCreated['detail'],
  landedAt: string,
): Promise<void> {
  const location = parseDropKey(object.key);
  if (!location) {
    logger.warn('bad_key', { bucket: bucket.name, key: object.key });
    if (object.key.endsWith('/')) return;
    // The key names no creator to report this to: operators see it in the alarm and in `health`. The object stays.
    count('badKey');
    await noteBadKey(services.table, { key: object.key, at: new Date(landedAt).toISOString() });
    return;
  }
  const mediaId = await mediaIdFor(bucket.name, object.key);
  logger.appendKeys({ mediaId });
  const probed = new Map<string, Finding>();
  const outcome = await applyWithRetry(services.table, async (): Promise<Outcome<Accepting>> => {
    // The row is read first: S3's later answers are never older than what the row holds.
    const media = await getMedia(services.table, mediaId);
    // S3's dates have whole seconds.
    const seenAt = new Date(Date.now() - 1000).toISOString();
    const newest = await newestUploadInS3(services.s3, { bucket, object });
    if (!newest) return { refused: 'the object is gone' };
    const { size, etag, versionId, unreadable } = newest;
    const source: Source = {
      bucket: bucket.name,
      key: object.key,
      ...(versionId && { versionId }),
      sequencer: await sequencerOf(services, media, object.sequencer, versionId),
      size,
      etag,
    };
    const announced = await announcedUpload(services.table, mediaId, media);
    // S3 may send the event of an upload again: that version goes with its media item, or stays where the deletion is taken back.
    if (media?.state === 'deleting' && isOwn(media, source)) return { refused: 'the media item is being deleted' };
    if (announced && versionId && isLate(announced, media, new Date().toISOString())) {
      logger.warn('late_upload', { key: object.key, versionId });
      return rememberLate(announced, versionId, new Date().toISOString());
    }
    if (media?.state === 'deleting') return uploadWaits(media, source);
    const ignored = whyIgnored(media, source);
    if (ignored) return ignored;
    const finding =
      probed.get(etag) ??
      (unreadable === undefined
        ? await preflight(services.s3, source, services)
        : refused('source_unreadable', unreadable));
    probed.set(etag, finding);
    const tombstone = media ? null : await getRow(services.table, rowKeys.tombstone(mediaId), TombstoneRow);
    const upload = { mediaId, location, source, now: new Date().toISOString(), seenAt, tombstone };
    if ('refused' in finding) return rejectUpload(media, upload, { ...finding.refused, at: upload.now });
    return accept(services, media, upload, finding);
  });
  await carryOn(services, mediaId, outcome);
}

/** Events may arrive late, and in any order. */
async function noteBadKey(table: Table, set: BadKeyRow): Promise<void> {
  const key = rowKeys.latestBadKey();
  await applyWithRetry(table, async () => {
    const known = await getRow(table, key, BadKeyRow);
    if (known && known.at >= set.at) return { refused: 'a later one is known' };
    return { change: [{ op: 'update', key, expect: { at: known?.at ?? null }, set }] };
  });
}

interface Accepting {
  job?: JobRow;
  /** The re-transcode that it replaced. */
  replaced?: JobRow;
}

/**
 * The newest version of a key is newer than a known one that still exists, whatever order their events arrive in. When the known one was
 * removed, the version that it hid may be older: then the event's sequencer decides.
 */
async function sequencerOf(
  { s3 }: IngestServices,
  media: MediaRow | null,
  sequencer: string,
  versionId: string | undefined,
): Promise<string> {
  const known = media && uploadOf(media.source);
  if (known?.versionId === undefined || versionId === undefined || known.versionId === versionId) return sequencer;
  return (await isThere(s3, known)) ? sequencerOver(known.sequencer, sequencer) : sequencer;
}

const GIB = 2 ** 30;

/** For a media item that exists and has its original, it makes no difference whether its upload was announced. */
async function announcedUpload(table: Table, mediaId: string, media: MediaRow | null): Promise<UploadRow | null> {
  if (media && media.state !== 'deleting' && !isOriginalDeleted(media)) return null;
  return getRow(table, apiKeys.upload(mediaId), UploadRow);
}

async function accept(
  services: IngestServices,
  media: MediaRow | null,
  upload: ReceivedUpload,
  finding: Accepted,
): Promise<Outcome<Accepting>> {
  const creatorId = media?.creatorId ?? upload.location.creatorId;
  const collectionId = media?.collectionId ?? upload.location.collectionId;
  const collection = await getCollection(services.table, creatorId, collectionId);
  if (!collection) {
    // Read after the collection: a deletion removes the one and leaves the other in one transaction.
    const tombstone = await getRow(
      services.table,
      rowKeys.collectionTombstone(creatorId, collectionId),
      CollectionTombstoneRow,
    );
    const made = newCollection({ creatorId, collectionId }, upload.now, { playback: tombstone?.playback });
    // Lost: another call made it a moment ago.
    await apply(services.table, [made]);
  }
  const encoding = await encodingOf(services.table, creatorId, collection, media);
  if (!services.engines.has(encoding.engine)) {
    const message = `${services.engines.lacks(encoding.engine)} Change the collection, or retry with another engine.`;
    return rejectUpload(media, upload, { code: 'engine_refused', message, at: upload.now }, finding.info);
  }
  const needed = scratchNeeded(finding.inPlace ? 0 : upload.source.size, finding.info, encoding.preset);
  if (needed > services.scratchBytes) {
    const [may, has] = [needed, services.scratchBytes].map((bytes) => (bytes / GIB).toFixed(1));
    const what = finding.inPlace ? 'The outputs' : 'The file and its outputs';
    const message = `${what} may need ${may} GiB of disk; a worker has ${has} GiB.`;
    return rejectUpload(media, upload, { code: 'disk_full', message, at: upload.now });
  }
  // An announced upload was counted when it was announced.
  const need = { uploads: media?.state === 'uploading' ? 0 : 1, seconds: secondsOf(finding.info, upload.source.size) };
  const used = await getRow(services.table, quotaKey(creatorId, upload.now), QuotaRow);
  const over = overQuota(used, need, services.quotas);
  if (over) return rejectUpload(media, upload, { ...over, at: upload.now }, finding.info);
  const { info, kind } = finding;
  const underWay =
    media?.jobId === undefined ? null : await getJob(services.table, media.mediaId, parseJobId(media.jobId).n);
  const accepted = acceptUpload(media, upload, { ...encoding, info, ...(kind && { kind }) }, underWay);
  if ('refused' in accepted) return accepted;
  const change = [...accepted.change, take(creatorId, upload.now, need, services.quotas)];
  const replaced = accepted.job && underWay && !hasEnded(underWay) ? underWay : undefined;
  return { ...accepted, change, ...(replaced && { replaced }) };
}

/** If this stops half-way, its worker's next sign of life ends it. */
async function endReplaced(services: IngestServices, { jobId, engine, engineJobId }: JobRow): Promise<void> {
  if (engineJobId) await cancelJob(services, { jobId, engine, engineJobId }, 'the job is over');
  // Of one whose encode was done and paid.
  await noteCost(services.table, jobId, costOfFailed);
}

/** Submits the job once the rows are written, also when an earlier call wrote them and then stopped. */
async function carryOn(services: IngestServices, mediaId: string, outcome: Outcome<Accepting>): Promise<void> {
  if (!('refused' in outcome)) {
    if (outcome.replaced) await endReplaced(services, outcome.replaced);
    if (!outcome.job)
      return logger.info('no job yet: refused, or waiting for the job under way or for the deletion of its media item');
    logger.info('accepted', { jobId: outcome.job.jobId });
    await submitJob(services, outcome.job);
    return;
  }
  logger.info('nothing new', { why: outcome.refused });
  const media = await getMedia(services.table, mediaId);
  if (!media?.jobId || !isUnderWay(media)) return;
  const job = await getJob(services.table, mediaId, parseJobId(media.jobId).n);
  if (job?.state !== 'queued' || job.engineJobId !== undefined) return;
  // Sweep alone submits to the queue of re-transcodes.
  if (job.purpose === 'ingest' || job.onDemand) await submitJob(services, job);
}
