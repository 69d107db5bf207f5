import { head } from '../../../aws/s3.ts';
import { applyWithRetry, getCollection, getMedia, getRow } from '../../../aws/table.ts';
import { fits, policyKey } from '../../../core/archive/candidates.ts';
import { type ArchiveRefusal, EncodePolicy } from '../../../core/contracts/archive.ts';
import type { ArchiveJob } from '../../../core/contracts/archive-job.ts';
import { tmpPrefix } from '../../../core/contracts/keys.ts';
import { type ArchivePolicyRow, ArchiveRow } from '../../../core/contracts/table/archive.ts';
import { type RowKey, rowKeys } from '../../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../../core/contracts/table/media.ts';
import {
  archiveMoved,
  archiveRefused,
  archiveStarted,
  archiveSubmitted,
  archiveWaits,
  hasVersion,
  whyNotArchived,
} from '../../../core/jobs/archive.ts';
import type { Outcome } from '../../../core/jobs/change.ts';
import { charge } from '../../../core/jobs/spending.ts';
import { plus } from '../../../core/time.ts';
import { priceOf } from '../../../engines/registry.ts';
import { room } from '../../shared/caps.ts';
import { PRICES } from '../../shared/cost.ts';
import { logger } from '../../shared/observability.ts';
import type { SweepServices } from '../services.ts';
import { DELETES_ORIGINALS, OTHER_BUCKET, sameEtag } from './replace.ts';

/** Longer than SubmitJob's time limit, and than a run of sweep. */
const SUBMITTING_MINUTES = 5;
/** A media item that cannot be archived now is looked at again: one that is encoded soon is ready, one that has failed may be retried. */
const BUSY_DAYS = 1;
const FAILED_DAYS = 7;
/** Of the length of a recording: an encode with its verification, on a worker, before anything is learned. */
const ASSUMED_SPEED = 0.25;
/** An attempt that a window's end has stopped gets more time than it had. */
const MORE_TIME = 1.25;

interface Begun {
  started?: true;
  /** Neither it nor what comes after it is begun outside of the window. */
  isClosed?: true;
  /** Why nothing of its collection is begun. */
  capped?: string;
}

/** A candidate as it is now: a worker is asked for its copy, or it is refused, or waits. */
export async function startOne(
  services: SweepServices,
  key: RowKey,
  { row: policyRow, isOpen, end }: { row: ArchivePolicyRow; isOpen: boolean; end: number | undefined },
): Promise<Begun> {
  const { table, now } = services;
  const { policy } = policyRow;
  let begun: Begun = {};
  const outcome = await applyWithRetry(table, async (): Promise<Outcome<{ row?: ArchiveRow; starts?: true }>> => {
    begun = {};
    const row = await getRow(table, key, ArchiveRow);
    const media = row && (await getMedia(table, row.mediaId));
    if (row?.state !== 'due' || !media || media.state === 'deleting') return { refused: 'not due' };
    // Of those a person asked for, neither age nor window count.
    const isAsked = row.asked === true;
    if (!isAsked && !isOpen) {
      begun = { isClosed: true };
      return { refused: 'its window is closed' };
    }
    if (media.source.bucket !== services.uploadsBucket) {
      return archiveWaits(row, { waits: OTHER_BUCKET, todoAt: plus(now, { days: BUSY_DAYS }) });
    }
    const early = decideWithoutS3(row, media, policyRow, now);
    if (early) return early;
    const stopAt =
      isAsked || end === undefined || policy.overrun === 'finish' ? undefined : new Date(end).toISOString();
    if (!isAsked && end !== undefined && !hasTime(row, media, policyRow, end - Date.parse(now)))
      return tooLate(row, policyRow, end, now);
    const found = await head(services.s3, media.source);
    if (!found || found.size !== media.source.size || !sameEtag(found.etag, media.source.etag)) {
      return refuse(
        row,
        media,
        policyRow,
        { reason: 'source_changed', detail: 'S3 does not have the original any more.' },
        now,
      );
    }
    if (found.archived !== undefined)
      return archiveWaits(row, { waits: found.archived, todoAt: plus(now, { days: BUSY_DAYS }) });
    const usd = expectedUsd(media, policyRow, services.archive.vcpus);
    const collection = await getCollection(table, media.creatorId, media.collectionId);
    if (collection?.deleteOriginal) {
      return archiveWaits(row, { waits: DELETES_ORIGINALS, todoAt: plus(now, { days: BUSY_DAYS }) });
    }
    const { caps, over } = await room(services, media, collection, usd, now);
    if (over) {
      begun = { capped: over.message };
      return { refused: 'a cap has no room for it' };
    }
    const started = archiveStarted(row, media, {
      ...{ policy: keyOf(policyRow), stopAt, now, submittingUntil: plus(now, { minutes: SUBMITTING_MINUTES }) },
      keepOriginalDays: policy.keepOriginalDays,
      ...(!policyRow.enabled && { asked: true }),
      charge: charge({ creatorId: media.creatorId, collectionId: media.collectionId }, usd, caps, now),
    });
    return 'refused' in started ? started : { ...started, starts: true };
  });
  if ('refused' in outcome || !outcome.starts || !outcome.row) return begun;
  services.report('archivesStarted');
  // One that is not submitted now is found by a later run, without an engine's id.
  await submitArchive(services, outcome.row, { tried: false }).catch((error: unknown) => {
    logger.error('not submitted', { jobId: outcome.row?.jobId, error });
  });
  return { started: true };
}

function keyOf({ policy }: ArchivePolicyRow): string {
  return policyKey(EncodePolicy.strip().parse(policy));
}

/** What the rows alone decide; null where S3 has to be asked. */
function decideWithoutS3(row: ArchiveRow, media: MediaRow, policyRow: ArchivePolicyRow, now: string): Outcome | null {
  const { policy, collectionId } = policyRow;
  const isAsked = row.asked === true;
  // It was moved, or another upload has come.
  if (media.collectionId !== collectionId || media.source.versionId !== row.source.versionId) {
    return archiveMoved(row, media, { policy: keyOf(policyRow), now });
  }
  const old = plus(media.sourceSeenAt ?? media.createdAt, { days: policy.minAgeDays });
  if (!isAsked && old > now) return archiveWaits(row, { todoAt: old });
  const why = whyNotArchived(media);
  if (why !== null) {
    const days = media.state === 'failed' ? FAILED_DAYS : BUSY_DAYS;
    return archiveWaits(row, { waits: why, todoAt: plus(now, { days }) });
  }
  const refusal = whyRefused(media);
  return refusal && refuse(row, media, policyRow, refusal, now);
}

/** What is known of a source without reading it; the worker finds the rest. */
function whyRefused({ source, kind, sourceInfo = {} }: MediaRow): ArchiveRefusal | null {
  const { videoCodec, container } = sourceInfo;
  if (!hasVersion(source))
    return { reason: 'unversioned', detail: 'It was uploaded while the bucket kept no versions.' };
  if (kind === 'audio') return { reason: 'not_readable', detail: 'It has no track of moving pictures.' };
  if (container !== undefined && !container.startsWith('mov,'))
    return { reason: 'container', detail: `It is ${container}.` };
  if (videoCodec !== undefined && videoCodec !== 'h264')
    return { reason: 'codec', detail: `The picture is ${videoCodec}.` };
  return null;
}

function refuse(
  row: ArchiveRow,
  media: MediaRow,
  policyRow: ArchivePolicyRow,
  refusal: ArchiveRefusal,
  now: string,
): Outcome {
  return archiveRefused(row, media, { refusals: [refusal], policy: keyOf(policyRow), now });
}

function hasTime(row: ArchiveRow, { source }: MediaRow, { bytesPerSecond }: ArchivePolicyRow, leftMs: number): boolean {
  return fits(source.size, leftMs, bytesPerSecond) && (row.tooShortMs ?? 0) * MORE_TIME <= leftMs;
}

/** It waits for the next window, and says so. */
function tooLate(row: ArchiveRow, { policy, bytesPerSecond }: ArchivePolicyRow, end: number, now: string): Outcome {
  const needs = Math.max(
    ((row.tooShortMs ?? 0) * MORE_TIME) / 60_000,
    bytesPerSecond ? row.source.size / bytesPerSecond / 60 : 0,
  );
  const waits = `it may take ${Math.ceil(needs)} minutes, and less is left of the window ${policy.window}`;
  const todoAt = new Date(end).toISOString();
  return row.waits === waits && row.todoAt === todoAt
    ? { refused: waits }
    : archiveWaits(row, { waits, todoAt: todoAt > now ? todoAt : now });
}

function expectedUsd({ source, sourceInfo }: MediaRow, { bytesPerSecond }: ArchivePolicyRow, vcpus: number): number {
  const assumed = (sourceInfo?.durationSeconds ?? 0) / ASSUMED_SPEED;
  const seconds = bytesPerSecond === undefined ? assumed : source.size / bytesPerSecond;
  return priceOf('batch-cpu', { vcpuSeconds: seconds * vcpus }, PRICES)?.usd ?? 0;
}

/** Asks for a worker. Stopped half-way, it is called again after the lease: the engine is then searched for the job's name. */
export async function submitArchive(
  services: SweepServices,
  row: ArchiveRow,
  { tried }: { tried: boolean },
): Promise<void> {
  const { table, archive, mediaBucket, now } = services;
  const { jobId, mediaId, creatorId, source, policy } = row;
  if (jobId === undefined) return;
  const { archivedFrom: _, ...original } = source;
  const job: ArchiveJob = {
    ...{ kind: 'archive', jobId, mediaId, creatorId, source: original },
    output: { bucket: mediaBucket, prefix: tmpPrefix(jobId) },
    policy: EncodePolicy.parse(JSON.parse(policy)),
  };
  const engineJobId = await archive.submit({ job, tried });
  const noted = await applyWithRetry(table, async () => {
    const is = await getRow(table, rowKeys.archive(mediaId), ArchiveRow);
    return is?.jobId === jobId ? archiveSubmitted(is, engineJobId, now) : { refused: 'it went on' };
  });
  if ('refused' in noted) await cancelUnlessKnown(services, { mediaId, jobId, engineJobId });
  logger.info('submitted for the archive', {
    jobId,
    engineJobId,
    tried,
    ...('refused' in noted && { notNoted: noted.refused }),
  });
}

/** Its media item was deleted, or its window closed, while the engine took the job: nothing would end it, or take what it makes. */
async function cancelUnlessKnown(
  { table, archive }: SweepServices,
  { mediaId, jobId, engineJobId }: { mediaId: string; jobId: string; engineJobId: string },
): Promise<void> {
  const row = await getRow(table, rowKeys.archive(mediaId), ArchiveRow);
  if (row?.jobId === jobId && (row.state === 'encoding' || row.state === 'replacing')) return;
  await archive.cancel(engineJobId, 'the job is over');
}
