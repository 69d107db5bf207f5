import { head, readText, TextTooLarge } from '../../../aws/s3.ts';
import { apply, getRow } from '../../../aws/table.ts';
import { encodePolicyOf, learned } from '../../../core/archive/candidates.ts';
import { qualityFaults, savingsFault } from '../../../core/archive/compare.ts';
import { ArchiveResult, MOST_DETAIL } from '../../../core/contracts/archive-job.ts';
import { ERRORS, type ErrorCode } from '../../../core/contracts/errors.ts';
import { parseJobId } from '../../../core/contracts/ids.ts';
import { Claim } from '../../../core/contracts/job.ts';
import { archiveCopyKey, CLAIM_FILE, RESULT_FILE, tmpPrefix } from '../../../core/contracts/keys.ts';
import { ArchivePolicyRow, ArchiveRow } from '../../../core/contracts/table/archive.ts';
import { type RowKey, rowKeys } from '../../../core/contracts/table/keys.ts';
import { parseJson } from '../../../core/contracts/text.ts';
import {
  archiveClaimed,
  archiveRefused,
  archiveUndone,
  archiveVerified,
  archiveWaits,
} from '../../../core/jobs/archive.ts';
import { allHeld } from '../../../core/jobs/cost.ts';
import { plus } from '../../../core/time.ts';
import { type EngineEnd, EngineRefused, NO_SIGN_OF_LIFE } from '../../../engines/engine.ts';
import { priceOf } from '../../../engines/registry.ts';
import { PRICES } from '../../shared/cost.ts';
import { logger } from '../../shared/observability.ts';
import type { SweepServices } from '../services.ts';
import { ATTEMPTS, replaceOriginal } from './replace.ts';
import { changeArchive, unlessUnreadable } from './rows.ts';
import { submitArchive } from './start.ts';

const AGAIN_MINUTES = 4;
/** A failure of the machine, or of S3, may be over then. */
const RETRY_HOURS = 1;
/** A queue that takes nothing is asked again after this time. */
const REFUSED_MINUTES = 15;
/** A worker renews its claim each 10 minutes. */
const SILENT_MINUTES = 60;

type UnderWay = ArchiveRow & { jobId: string };

/** A job of the archive that is under way, or whose copy takes the original's place. */
export async function lookAtJob(services: SweepServices, key: RowKey): Promise<void> {
  const row = await getRow(services.table, key, ArchiveRow);
  if (!row || row.jobId === undefined || (row.todoAt ?? '') > services.now) return;
  const { jobId, state } = row;
  if (state !== 'replacing' && state !== 'encoding') return;
  await unlessUnreadable(services, key, row.source, () =>
    state === 'replacing' ? replaceOriginal(services, key, row) : lookAtEncode(services, key, { ...row, jobId }),
  );
}

async function lookAtEncode(services: SweepServices, key: RowKey, row: UnderWay): Promise<void> {
  const { now, archive } = services;
  const result = await readArchiveResult(services, row.jobId);
  // Whatever the engine says: a good result is the truth.
  if (result && result.status !== 'failed') return takeResult(services, key, row, result);
  const isOver = row.stopAt !== undefined && row.stopAt <= now;
  const engineJobId = row.engineJobId ?? (isOver ? await archive.find(row.jobId) : null);
  if (engineJobId === null) {
    if (isOver)
      return undo(services, key, row, { waits: 'its window was over before it could be submitted', todoAt: now });
    await submitAgain(services, key, row);
    return;
  }
  const state = await archive.describe(engineJobId);
  if (state.kind === 'ended') return hasEnded(services, key, { ...row, engineJobId }, state.end);
  if (isOver) return stop(services, key, row, engineJobId, state.kind === 'running' ? state.startedAt : undefined);
  if (state.kind === 'running' && (await isSilent(services, row, state.startedAt ?? row.at))) {
    await archive.cancel(engineJobId, NO_SIGN_OF_LIFE);
    return hasFailed(services, key, row, { end: SILENT, result: null });
  }
  const next = plus(now, { minutes: AGAIN_MINUTES });
  const todoAt = row.stopAt !== undefined && row.stopAt < next ? row.stopAt : next;
  const blockedBy = state.kind === 'waiting' ? state.blockedBy : undefined;
  const startedAt = state.kind === 'running' ? (state.startedAt ?? now) : undefined;
  await changeArchive(services, key, (is) =>
    is.jobId === row.jobId && is.state === 'encoding'
      ? archiveWaits(is, {
          todoAt,
          ...(blockedBy !== undefined && { waits: blockedBy }),
          ...(startedAt && { startedAt }),
        })
      : { refused: 'it went on' },
  );
}

/** A queue that takes nothing is told by the row; it is asked again. */
async function submitAgain(services: SweepServices, key: RowKey, row: UnderWay): Promise<void> {
  await submitArchive(services, row, { tried: true }).catch(async (error: unknown) => {
    if (!(error instanceof EngineRefused)) throw error;
    const { forGood, message } = error;
    const end: EngineEnd = { by: 'itself', reason: { code: error.code, message } };
    if (forGood) return hasFailed(services, key, row, { end, result: null });
    logger.warn('not submitted', { jobId: row.jobId, reason: message });
    const todoAt = plus(services.now, { minutes: REFUSED_MINUTES });
    await changeArchive(services, key, (is) =>
      is.jobId === row.jobId && is.state === 'encoding'
        ? archiveWaits(is, { waits: message.slice(0, MOST_DETAIL), todoAt })
        : { refused: 'it went on' },
    );
  });
}

/** It may have written its result since that was looked for, and another engine job may have the claim. */
async function hasEnded(
  services: SweepServices,
  key: RowKey,
  row: UnderWay & { engineJobId: string },
  end: EngineEnd,
): Promise<void> {
  const result = await readArchiveResult(services, row.jobId);
  if (result && result.status !== 'failed') return takeResult(services, key, row, result);
  const claim = await readLeft(services.s3, {
    bucket: services.mediaBucket,
    key: `${tmpPrefix(row.jobId)}${CLAIM_FILE}`,
  });
  const holder = Claim.safeParse(parseJson(claim ?? '')).data?.engineJobId;
  if (holder === undefined || holder === row.engineJobId) return hasFailed(services, key, row, { end, result });
  await changeArchive(services, key, (is) =>
    is.jobId === row.jobId ? archiveClaimed(is, holder) : { refused: 'it went on' },
  );
}

const SILENT: EngineEnd = {
  by: 'unseen',
  reason: { code: 'worker_stuck', message: `The worker gave no sign of life for ${SILENT_MINUTES} minutes.` },
};

async function isSilent(
  { s3, mediaBucket, now }: SweepServices,
  { jobId }: UnderWay,
  startedAt: string,
): Promise<boolean> {
  const claim = await head(s3, { bucket: mediaBucket, key: `${tmpPrefix(jobId)}${CLAIM_FILE}` });
  const heardAt = claim ? claim.lastModified.toISOString() : startedAt;
  return plus(heardAt, { minutes: SILENT_MINUTES }) <= now;
}

/** What a worker has left; empty where it is too large to be meant. */
async function readLeft(s3: SweepServices['s3'], at: { bucket: string; key: string }): Promise<string | null> {
  return readText(s3, at).catch((error: unknown) => {
    if (error instanceof TextTooLarge) return '';
    throw error;
  });
}

/** Null before there is one. One that cannot be read, or is of another job, counts as a failed one: a worker may have been taken over. */
async function readArchiveResult({ s3, mediaBucket }: SweepServices, jobId: string): Promise<ArchiveResult | null> {
  const text = await readLeft(s3, { bucket: mediaBucket, key: `${tmpPrefix(jobId)}${RESULT_FILE}` });
  if (text === null) return null;
  const parsed = ArchiveResult.safeParse(parseJson(text));
  if (parsed.success && parsed.data.jobId === jobId) return parsed.data;
  logger.error('a result of the archive cannot be read', { jobId, error: parsed.error });
  return { status: 'failed', jobId, error: { code: 'worker_bug', message: 'The worker left an unreadable result.' } };
}

async function takeResult(
  services: SweepServices,
  key: RowKey,
  row: UnderWay,
  result: Exclude<ArchiveResult, { status: 'failed' }>,
): Promise<void> {
  const { now } = services;
  const cost = costOf(result.usage.cpuSeconds);
  if (result.status === 'refused') {
    const done = await changeArchive(services, key, (is, media) =>
      is.jobId === row.jobId && is.state === 'encoding'
        ? archiveRefused(is, media, { refusals: result.refusals, cost, now })
        : { refused: 'it went on' },
    );
    if (!('refused' in done)) services.report('archivesRefused');
    return;
  }
  const { original, copy, quality, encoder, ffmpeg } = result;
  const message = await faultOfResult(services, row, result);
  if (message !== null) {
    const end: EngineEnd = { by: 'itself', reason: { code: 'worker_bug', message } };
    return hasFailed(services, key, row, { end, result: null });
  }
  const at = archiveCopyKey(row.creatorId, row.mediaId, parseJobId(row.jobId).n, row.source.key);
  const replaced = { original, copy: { ...copy, key: at }, quality, encoder, ffmpeg };
  const verified = await changeArchive(services, key, (is, media) =>
    is.jobId === row.jobId ? archiveVerified(is, media, { replaced, cost, now }) : { refused: 'it went on' },
  );
  if (!('row' in verified)) return;
  await learn(services, row, (result.usage.wallSeconds * 1000) | 0);
  await replaceOriginal(services, key, verified.row);
}

/** What of it contradicts the original as S3 knows it, or the policy: a worker may have been taken over. Null where nothing does. */
async function faultOfResult(
  { s3 }: SweepServices,
  row: UnderWay,
  { original, copy, quality }: Extract<ArchiveResult, { status: 'archived' }>,
): Promise<string | null> {
  if (original.bytes !== row.source.size) return 'The worker encoded a file of another size.';
  const policy = encodePolicyOf(row.policy);
  const [fault] = [savingsFault(original.bytes, copy.bytes, policy) ?? [], qualityFaults(quality, policy)].flat();
  if (fault) return `The worker took what the policy refuses: ${fault.detail}`;
  const found = await head(s3, row.source);
  const isOther = found?.crc64nvme !== undefined && found.crc64nvme !== original.crc64nvme;
  return isOther ? 'The worker encoded a file with another checksum.' : null;
}

function costOf(vcpuSeconds: number) {
  return priceOf('batch-cpu', { vcpuSeconds }, PRICES);
}

async function learn(
  { table }: SweepServices,
  { creatorId, collectionId, source }: UnderWay,
  ms: number,
): Promise<void> {
  const key = rowKeys.archivePolicy(creatorId, collectionId);
  const policy = await getRow(table, key, ArchivePolicyRow);
  if (!policy || ms <= 0) return;
  const set = { bytesPerSecond: learned(policy.bytesPerSecond, source.size, ms) };
  await apply(table, [{ op: 'update', key, expect: { rev: policy.rev }, set }]);
}

/** The window is over: FFmpeg cannot go on where it was, so that the next attempt needs more time than this one had. */
async function stop(
  services: SweepServices,
  key: RowKey,
  row: UnderWay,
  engineJobId: string,
  startedAt: string | undefined,
): Promise<void> {
  const { now, archive } = services;
  await archive.cancel(engineJobId, 'the window is over');
  const had = startedAt === undefined ? 0 : Date.parse(now) - Date.parse(startedAt);
  const tooShortMs = Math.max(row.tooShortMs ?? 0, had);
  await undo(services, key, row, {
    waits: 'the window was over before it was done',
    todoAt: now,
    ...(tooShortMs > 0 && { tooShortMs }),
    cost: costOf((had / 1000) * archive.vcpus),
  });
  services.report('archivesStopped');
}

/** Somebody has stopped it; or its restored copy has ended before a machine was there, and the next attempt restores it again. */
const MAY_PASS: readonly ErrorCode[] = ['cancelled', 'source_unreadable'];

async function hasFailed(
  services: SweepServices,
  key: RowKey,
  row: UnderWay,
  { end, result }: { end: EngineEnd; result: ArchiveResult | null },
): Promise<void> {
  const { now } = services;
  // An earlier attempt's result does not explain how a later one was stopped.
  const told = result?.status === 'failed' && end.by !== 'outside' ? result.error : end.reason;
  const cost = end.held ? costOf(allHeld(end.held)) : undefined;
  const failures = (row.failures ?? 0) + 1;
  const detail = `${told.code}: ${told.message}`.slice(0, MOST_DETAIL);
  logger.warn('a copy was not made', { jobId: row.jobId, code: told.code, reason: told.message, failures });
  const isGone = told.code === 'source_missing' || told.code === 'source_changed';
  const mayPass = ERRORS[told.code].transient || MAY_PASS.includes(told.code);
  if (isGone || failures >= ATTEMPTS || !mayPass) {
    const reason = isGone ? ('source_changed' as const) : ('encode_failed' as const);
    const done = await changeArchive(services, key, (is, media) =>
      is.jobId === row.jobId && is.state === 'encoding'
        ? archiveRefused(is, media, { refusals: [{ reason, detail }], cost, now })
        : { refused: 'it went on' },
    );
    if (!('refused' in done)) services.report('archivesRefused');
    return;
  }
  await undo(services, key, row, { waits: detail, todoAt: plus(now, { hours: RETRY_HOURS }), failures, cost });
}

async function undo(
  services: SweepServices,
  key: RowKey,
  { jobId }: UnderWay,
  how: Omit<Parameters<typeof archiveUndone>[2], 'now'>,
): Promise<void> {
  await changeArchive(services, key, (is, media) =>
    is.jobId === jobId ? archiveUndone(is, media, { ...how, now: services.now }) : { refused: 'it went on' },
  );
}
