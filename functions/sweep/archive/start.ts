import { applyWithRetry, getCollection, getMedia, getRow } from '../../../aws/table.ts';
import type { Archive } from '../../../aws/unreadable.ts';
import { collectionPolicyKey, encodePolicyOf, fits, whyNotEncoded } from '../../../core/archive/candidates.ts';
import { chooseWay, classOfCopy, isInClass, isInStandard, originalOf, type Way } from '../../../core/archive/money.ts';
import type { ArchiveRefusal } from '../../../core/contracts/archive.ts';
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
import { classMoving } from '../../../core/jobs/archive-class.ts';
import { archiveRestoring } from '../../../core/jobs/archive-restore.ts';
import type { Outcome } from '../../../core/jobs/change.ts';
import { charge } from '../../../core/jobs/spending.ts';
import { plus } from '../../../core/time.ts';
import { priceOf } from '../../../engines/registry.ts';
import { room } from '../../shared/caps.ts';
import { PRICES } from '../../shared/cost.ts';
import { logger } from '../../shared/observability.ts';
import { whatRestores } from '../../shared/restore-source.ts';
import type { SweepServices } from '../services.ts';
import { moveToClass } from './classes.ts';
import { DELETES_ORIGINALS, OTHER_BUCKET, sameEtag } from './replace.ts';
import { headOrWhy } from './rows.ts';

/** Longer than SubmitJob's time limit, and than a run of sweep. */
const SUBMITTING_MINUTES = 5;
/** A media item that cannot be archived now is looked at again: one that is encoded soon is ready, one that has failed may be retried. */
const BUSY_DAYS = 1;
const FAILED_DAYS = 7;
/** Of the length of a recording: an encode with its verification, on a worker, before anything is learned. */
const ASSUMED_SPEED = 0.25;
/** An attempt that a window's end has stopped gets more time than it had. */
const MORE_TIME = 1.25;

export interface Begun {
  /** A worker is asked for its copy, or it goes to another class, or S3 is asked for its restore. */
  started?: 'encode' | 'move' | 'restore';
  /** Neither it nor what comes after it is begun outside of the window. */
  isClosed?: true;
  /** A worker would be needed, and there is no place for one. */
  needsPlace?: true;
  /** Why nothing of its collection is encoded. */
  capped?: string;
}

export interface Turn {
  row: ArchivePolicyRow;
  isOpen: boolean;
  /** When the window ends, in milliseconds since the epoch. */
  end: number | undefined;
  /** Of the bytes of an original, what a re-encode is expected to save, 0 to 1. */
  savedPart: number;
  /** Whether there is a place for a worker. */
  mayEncode: boolean;
  /** Whether S3 may be asked for another restore. */
  mayRestore: boolean;
}

type Decided = Outcome<{ row?: ArchiveRow; started?: Begun['started'] }>;

/** A candidate as it is now: a worker is asked for its copy, or it goes to another class, or it is refused, or waits. */
export async function startOne(services: SweepServices, key: RowKey, turn: Turn): Promise<Begun> {
  const { table } = services;
  let begun: Begun = {};
  const outcome = await applyWithRetry(table, async (): Promise<Decided> => {
    begun = {};
    const row = await getRow(table, key, ArchiveRow);
    const media = row && (await getMedia(table, row.mediaId));
    if (row?.state !== 'due' || !media || media.state === 'deleting') return { refused: 'not due' };
    return decide(services, row, media, turn, (why) => {
      begun = why;
    });
  });
  if ('refused' in outcome || !outcome.started) return begun;
  const { row, started } = outcome;
  if (!row) return { started };
  // What is not done now is found by a later run: a job without an engine's id, or a version without its tag.
  const done = started === 'encode' ? submitArchive(services, row, { tried: false }) : moveToClass(services, key);
  services.report(started === 'encode' ? 'archivesStarted' : 'movesStarted');
  await done.catch((error: unknown) => {
    logger.error('not begun', { mediaId: row.mediaId, jobId: row.jobId, error });
  });
  return { started };
}

async function decide(
  services: SweepServices,
  row: ArchiveRow,
  media: MediaRow,
  turn: Turn,
  begun: (why: Begun) => void,
): Promise<Decided> {
  const { table, now } = services;
  const { row: policyRow, isOpen, end } = turn;
  const { policy } = policyRow;
  // Of those a person asked for, neither age nor window count.
  const isAsked = row.asked === true;
  if (!isAsked && !isOpen) {
    begun({ isClosed: true });
    return { refused: 'its window is closed' };
  }
  const early = decideWithoutS3(services, row, media, policyRow);
  if (early) return early;
  const way = chooseWay(originalOf(media), policy, PRICES, turn.savedPart);
  if (way === null) return refuse(row, media, policyRow, whyNothing(media, policyRow), now);
  if (way !== 'storage-class' && !turn.mayEncode) {
    begun({ needsPlace: true });
    return { refused: 'there is no place for a worker' };
  }
  if (
    way !== 'storage-class' &&
    !isAsked &&
    end !== undefined &&
    !hasTime(row, media, policyRow, end - Date.parse(now))
  )
    return tooLate(row, policyRow, end, now);
  const found = await headOrWhy(services, media.source);
  if (typeof found === 'string') {
    return archiveWaits(row, { waits: found, todoAt: plus(now, { days: BUSY_DAYS }) });
  }
  if (!found || found.size !== media.source.size || !sameEtag(found.etag, media.source.etag)) {
    const detail = 'S3 does not have the original any more.';
    return refuse(row, media, policyRow, { reason: 'source_changed', detail }, now);
  }
  const collection = await getCollection(table, media.creatorId, media.collectionId);
  if (collection?.deleteOriginal) {
    return archiveWaits(row, { waits: DELETES_ORIGINALS, todoAt: plus(now, { days: BUSY_DAYS }) });
  }
  const elsewhere = whyNotMoved(found, policyRow, way);
  if (elsewhere) return refuse(row, media, policyRow, elsewhere, now);
  const asked = !policyRow.enabled && { asked: true as const };
  const policyOf = { policy: keyOf(policyRow), ...asked, now };
  if (way === 'storage-class') {
    const moving = classMoving(row, media, { storageClass: policy.storageClass, ...policyOf });
    return 'refused' in moving ? moving : { ...moving, started: 'move' };
  }
  const usd = expectedUsd(media, policyRow, services.archive.vcpus);
  const { caps, over } = await room(services, media, collection, usd, now);
  if (over) {
    begun({ capped: over.message });
    return { refused: 'a cap has no room for it' };
  }
  const archive = found.archive && (await restoreFirst(services, row, media, found.archive, turn));
  if (archive) return archive;
  const isBounded = !isAsked && end !== undefined && policy.overrun === 'stop';
  const copyClass = classOfCopy(way, found, policy);
  const started = archiveStarted(row, media, {
    ...{ ...policyOf, submittingUntil: plus(now, { minutes: SUBMITTING_MINUTES }) },
    stopAt: isBounded ? new Date(end).toISOString() : undefined,
    keepOriginalDays: policy.keepOriginalDays,
    classes: {
      ...(way === 'both' && isInStandard(found) && { storageClass: policy.storageClass }),
      ...(copyClass && { copyClass }),
    },
    charge: charge({ creatorId: media.creatorId, collectionId: media.collectionId }, usd, caps, now),
  });
  return 'refused' in started ? started : { ...started, started: 'encode' };
}

/** What is done with a candidate whose original is in a class that cannot be read; null where a restored copy can be, for long enough. */
async function restoreFirst(
  services: SweepServices,
  row: ArchiveRow,
  media: MediaRow,
  { isRestoring, readableUntil }: Archive,
  { mayRestore }: Turn,
): Promise<Decided | null> {
  if (!mayRestore && !isRestoring && readableUntil === undefined) return { refused: 'enough others are restored' };
  const restoring = await whatRestores(services, media, media.source, { known: row.restoring });
  if (restoring === null) return null;
  const waiting = archiveRestoring(row, media, restoring, services.now);
  return 'refused' in waiting ? waiting : { ...waiting, started: 'restore' };
}

/** Why no way of the policy is open to an original. */
function whyNothing(media: MediaRow, { policy }: ArchivePolicyRow): ArchiveRefusal {
  const detail = 'It is too small to be moved, or what it would save in a year is less than its cost.';
  return (policy.method !== 'storage-class' && whyNotEncoded(media)) || { reason: 'payback', detail };
}

/** Somebody has chosen a class for it: what a way saves by core/archive/money.ts is against Standard. */
function whyNotMoved(
  { storageClass }: { storageClass: string },
  { policy }: ArchivePolicyRow,
  way: Way,
): ArchiveRefusal | null {
  if (isInStandard({ storageClass }) || (way !== 'storage-class' && policy.method !== 'auto')) return null;
  if (way === 'storage-class' && isInClass(storageClass, policy.storageClass)) return null;
  return { reason: 'storage_class', detail: `It is in ${storageClass}.` };
}

function keyOf({ policy }: ArchivePolicyRow): string {
  return collectionPolicyKey(policy);
}

/** What the rows alone decide; null where S3 has to be asked. */
function decideWithoutS3(
  { uploadsBucket, now }: SweepServices,
  row: ArchiveRow,
  media: MediaRow,
  policyRow: ArchivePolicyRow,
): Outcome | null {
  const { policy, collectionId } = policyRow;
  if (media.source.bucket !== uploadsBucket) {
    return archiveWaits(row, { waits: OTHER_BUCKET, todoAt: plus(now, { days: BUSY_DAYS }) });
  }
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
  if (hasVersion(media.source)) return null;
  const detail = 'It was uploaded while the bucket kept no versions.';
  return refuse(row, media, policyRow, { reason: 'unversioned', detail }, now);
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
    policy: encodePolicyOf(policy),
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
