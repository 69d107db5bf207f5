import type { S3Client } from '@aws-sdk/client-s3';
import { head } from '../../aws/s3.ts';
import { apply, getCollection, getJob, getMedia, getRow, settle, type Table } from '../../aws/table.ts';
import type { ObjectCreated } from '../../core/contracts/events.ts';
import { mediaIdFor, parseJobId } from '../../core/contracts/ids.ts';
import { parseDropKey } from '../../core/contracts/keys.ts';
import { type JobRow, type MediaRow, rowKeys, type Source, TombstoneRow } from '../../core/contracts/rows.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import { acceptUpload, isUnderWay, newCollection, noNews, rejectUpload } from '../../core/jobs/transitions.ts';
import type { Upload } from '../../core/jobs/upload.ts';
import { presetNamed } from '../shared/preset.ts';
import { count, logger } from '../shared/stack.ts';
import { type Engine, submitJob } from '../shared/submit-job.ts';
import { type Finding, preflight } from './preflight.ts';

export interface IngestServices {
  table: Table;
  s3: S3Client;
  engine: Engine;
  maxUploadBytes: number;
}

/**
 * An object landed under drop/. Called again, at whatever point it stopped, it goes on from there.
 * @param mayProbe false for a file that has kept earlier calls from ending: the worker looks into it.
 */
export async function ingest(
  services: IngestServices,
  { bucket, object }: ObjectCreated['detail'],
  mayProbe = true,
): Promise<void> {
  const location = parseDropKey(object.key);
  if (!location) {
    // No creator can be told of it: the alarm is all there is. The object stays.
    if (!object.key.endsWith('/')) count('badKey');
    logger.warn('bad_key', { bucket: bucket.name, key: object.key });
    return;
  }
  const mediaId = await mediaIdFor(bucket.name, object.key);
  logger.appendKeys({ mediaId });
  const probed = new Map<string, Finding>();
  const outcome = await settle(services.table, async (): Promise<Outcome<{ job?: JobRow }>> => {
    // The row first: what S3 says after that is never older than what the row knows.
    const media = await getMedia(services.table, mediaId);
    const newest = await head(services.s3, { bucket: bucket.name, key: object.key });
    if (!newest) return { none: 'the object is gone' };
    const { size, etag, versionId } = newest;
    const source: Source = {
      bucket: bucket.name,
      key: object.key,
      ...(versionId && { versionId }),
      sequencer: object.sequencer,
      size,
      etag,
    };
    const stale = noNews(media, source);
    if (stale !== null) return { none: stale };
    const finding = probed.get(etag) ?? (await preflight(services.s3, source, services.maxUploadBytes, mayProbe));
    probed.set(etag, finding);
    const tombstone = media ? null : await getRow(services.table, rowKeys.tombstone(mediaId), TombstoneRow);
    const upload = { mediaId, location, source, now: new Date().toISOString(), tombstone };
    if (finding.verdict === 'refused') {
      const { code, message } = finding;
      return rejectUpload(media, upload, { code, message, at: upload.now });
    }
    return accept(services, media, upload, finding);
  });
  await carryOn(services, mediaId, outcome);
}

async function accept(
  services: IngestServices,
  media: MediaRow | null,
  upload: Upload,
  finding: Extract<Finding, { verdict: 'accepted' }>,
) {
  const creatorId = media?.creatorId ?? upload.location.creatorId;
  const collectionId = media?.collectionId ?? upload.location.collectionId;
  const collection = await getCollection(services.table, creatorId, collectionId);
  // Lost: somebody made it a moment ago.
  if (!collection)
    await apply(services.table, [newCollection({ ...upload.location, creatorId, collectionId }, upload.now)]);
  const preset = presetNamed(collection?.preset ?? '');
  return acceptUpload(media, upload, { info: finding.info, ...(finding.kind && { kind: finding.kind }), preset });
}

/** With the rows written, the engine comes next; also when an earlier call wrote them and then stopped. */
async function carryOn(services: IngestServices, mediaId: string, outcome: Outcome<{ job?: JobRow }>): Promise<void> {
  if (!('none' in outcome)) {
    if (!outcome.job) return logger.warn('refused');
    logger.info('accepted', { jobId: outcome.job.jobId });
    await submitJob(services.engine, outcome.job, false);
    return;
  }
  logger.info('nothing new', { why: outcome.none });
  const media = await getMedia(services.table, mediaId);
  if (!media?.jobId || !isUnderWay(media)) return;
  const job = await getJob(services.table, mediaId, parseJobId(media.jobId).n);
  if (job?.state === 'queued' && job.engineJobId === undefined) await submitJob(services.engine, job, true);
}
