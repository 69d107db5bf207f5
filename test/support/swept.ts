import { PutObjectCommand } from '@aws-sdk/client-s3';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { apply } from '../../aws/table.ts';
import { mediaIdFor } from '../../core/contracts/ids.ts';
import { dropKey } from '../../core/contracts/keys.ts';
import type { CollectionRow } from '../../core/contracts/table/collections.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { newCollection } from '../../core/jobs/transitions.ts';
import { type ArchiveWorkers, connectArchive } from '../../engines/batch/archive.ts';
import { connectBatch } from '../../engines/batch/engine.ts';
import type { BatchEnv } from '../../engines/batch/names.ts';
import { estimate } from '../../engines/batch/price.ts';
import { Engines } from '../../engines/registry.ts';
import type { SweepServices } from '../../functions/sweep/services.ts';
import { type Part, sweep } from '../../functions/sweep/sweep.ts';
import { arns, type World } from '../../local/test/support/batch-world.ts';
import { job, media, source, version } from './factories.ts';
import { MEDIA, QUEUES, type Services, UPLOADS } from './services.ts';

/** What sweep works on: rows and objects of the creator `ann`, and runs of it. */

export const CAP = 3;
export const QUOTAS = { uploadsPerDay: 1000, minutesPerDay: 1000 };
export const LONG_AGO = '2026-01-01T00:00:00.000Z';

/** One engine, `batch-cpu`, on a local AWS Batch. It cuts no films. */
export function enginesOf({ client }: World, more: Partial<BatchEnv> = {}): Engines {
  const env = {
    JOB_QUEUE: arns.fair,
    RETRANSCODE_JOB_QUEUE: arns.fair,
    ON_DEMAND_JOB_QUEUE: arns.onDemand,
    JOB_DEFINITION: arns.definition,
    JOB_VCPUS: 4,
    COMPUTE_ENVIRONMENTS: [arns.computeEnvironment],
    ...more,
  };
  const { JOB_VCPUS: vcpus } = env;
  return new Engines({
    'batch-cpu': {
      ...connectBatch(env, { submitting: client, others: client }),
      estimate: (source, preset, prices) => estimate(source, preset, prices, { vcpus, workers: 1 }),
    },
  });
}

/** Where copies for the archive are made: the local AWS Batch, in a queue below the others. */
export function archiveOf({ client }: Pick<World, 'client'>): ArchiveWorkers {
  const env = { ARCHIVE_JOB_QUEUE: arns.low, JOB_DEFINITION: arns.definition, JOB_VCPUS: 4, MAX_ARCHIVES: 4 };
  return connectArchive(env, { submitting: client, others: client });
}

/** One run of sweep, at a time some minutes from now. */
export function sweepOnce(services: Services, world: World, minutes = 0, timeIsUp: () => boolean = () => false) {
  const now = new Date(Date.now() + minutes * 60_000).toISOString();
  return sweepWith(services, world, now, () => (timeIsUp() ? 0 : 265_000));
}

/** One run, of all its parts unless some are given. */
export function sweepWith(
  services: Services,
  world: World,
  now: string,
  remainingMs: () => number,
  parts?: readonly Part[],
  engines = enginesOf(world),
  archive = archiveOf(world),
  more: Pick<SweepServices, 'copyPartBytes'> = {},
) {
  const { s3, sqs, table } = services.breakable;
  const queues = {
    ingestQueueUrl: QUEUES.ingest,
    publishQueueUrl: QUEUES.publish,
    webhookQueueUrl: QUEUES.webhooks,
  };
  const buckets = { mediaBucket: MEDIA, uploadsBucket: UPLOADS };
  const all = { s3, sqs, table, engines, ...queues, ...buckets, maxRetranscodes: CAP, archive, ...more };
  return sweep(all, now, remainingMs, parts);
}

export async function dropObject({ s3 }: Services, key: string, body: string | Uint8Array) {
  const { VersionId, ETag } = await s3.send(new PutObjectCommand({ Bucket: UPLOADS, Key: key, Body: body }));
  const mediaId = await mediaIdFor(UPLOADS, key);
  const from = source({ bucket: UPLOADS, key, versionId: VersionId, etag: ETag ?? '', size: body.length });
  return { mediaId, source: from, key };
}

/** A media that is ready, with its upload, unless `more` says otherwise. */
export async function addMedia(
  services: Services,
  collectionId: string,
  name: string,
  more: Partial<MediaRow> = {},
): Promise<MediaRow> {
  const dropped = await dropObject(services, dropKey({ creatorId: 'ann', collectionId, path: name }), name);
  const { mediaId } = dropped;
  const row = media({
    mediaId,
    collectionId,
    owner: 'ann',
    collection: `ann#${collectionId}`,
    source: dropped.source,
    jobId: `${mediaId}-1`,
    state: 'ready',
    current: version(1, { jobId: `${mediaId}-1`, source: dropped.source }),
    ...more,
  });
  await apply(services.table, [{ op: 'put', key: rowKeys.media(mediaId), row }]);
  return row;
}

/** A job that has been silent for long. */
export async function addJob(services: Services, of: MediaRow, more: Partial<JobRow> = {}): Promise<JobRow> {
  const jobId = `${of.mediaId}-${more.n ?? 1}`;
  const row = job({ mediaId: of.mediaId, jobId, source: of.source, heartbeatAt: LONG_AGO, todoAt: LONG_AGO, ...more });
  await apply(services.table, [{ op: 'put', key: rowKeys.job(of.mediaId, row.n), row }]);
  return row;
}

export async function addCollection(services: Services, collectionId: string, more: Partial<CollectionRow> = {}) {
  const made = newCollection({ creatorId: 'ann', collectionId }, LONG_AGO);
  await apply(services.table, [{ ...made, row: { ...made.row, ...more } }]);
  return made.key;
}

export async function received({ sqs }: Services, queue: string): Promise<unknown[]> {
  const answer = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10 }));
  return (answer.Messages ?? []).map(({ Body }) => JSON.parse(Body ?? ''));
}
