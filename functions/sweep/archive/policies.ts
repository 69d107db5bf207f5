import { lifecycleRules } from '../../../aws/lifecycle.ts';
import { apply, applyWithRetry, getMedia, getRow } from '../../../aws/table.ts';
import { getRows, positionOf, queryMediaKeys, queryTodo } from '../../../aws/table-queries.ts';
import { collectionPolicyKey } from '../../../core/archive/candidates.ts';
import { lifecycleFault } from '../../../core/archive/lifecycle.ts';
import { savedPartOf } from '../../../core/archive/money.ts';
import { isInWindow, nextWindow, windowEnd } from '../../../core/archive/window.ts';
import { ArchivePolicyRow, ArchiveRow, ArchiveStatsRow } from '../../../core/contracts/table/archive.ts';
import { LoadRow } from '../../../core/contracts/table/engines.ts';
import { archiveDue, DUE_WORK, engineKeys, type RowKey, rowKeys } from '../../../core/contracts/table/keys.ts';
import { MediaRow } from '../../../core/contracts/table/media.ts';
import { archiveDueNow } from '../../../core/jobs/archive.ts';
import { isoOf, plus } from '../../../core/time.ts';
import { due, Failures } from '../due.ts';
import type { SweepServices } from '../services.ts';
import { getArchive } from './rows.ts';
import { type Begun, startOne, type Turn } from './start.ts';

/** Media items that are read at once. */
const PAGE = 100;
/** Candidates for a worker that are looked at in one run: some may not fit into the window, and smaller ones come behind them. */
const LOOKED_AT = 25;
/** The same where some may be moved instead, for which no worker is needed. */
const LOOKED_PAST = 500;
/** Originals are restored before their turn, so many for each worker: they can be read for some days, and are billed for them. */
const RESTORED_AHEAD = 4;
/** In an open window, a collection that has nothing due is looked through again after this time. */
const IDLE_MINUTES = 60;
/** From the last run of sweep that looked at the engines. */
const LOAD_MINUTES = 15;
/** More than any deployment has of them under way. */
const MOST_UNDER_WAY = 500;
const MINUTE_MS = 60_000;
/** The engine with which the archive shares its machines. */
const ENGINE = 'batch-cpu';

/** A collection whose window opens, or is open: candidates are found, and as many of them are begun as there is room for. */
export async function lookAtPolicy(services: SweepServices, key: RowKey): Promise<void> {
  const { table, now } = services;
  const row = await getRow(table, key, ArchivePolicyRow);
  if (row?.todo === undefined || (row.todoAt ?? '') > now) return;
  const { policy } = row;
  const at = Date.parse(now);
  const isForced = row.forcedUntil !== undefined && row.forcedUntil > now;
  const isOpen = isForced || (row.enabled && isInWindow(at, policy));
  if (isOpen) await findCandidates(services, row);
  const end = isForced ? undefined : windowEnd(at, policy);
  const failures = new Failures();
  const started = await startSome(services, row, { isOpen, end, failures });
  const next = nextLook(row, { isOpen, end, now, ...started });
  const { waits, isLeft } = started;
  const set = {
    ...(waits !== undefined && { waits }),
    ...(next !== null && { todo: DUE_WORK.archivePolicy, todoAt: next }),
  };
  const remove = [
    ...(waits === undefined ? (['waits'] as const) : []),
    ...(next === null ? (['todo', 'todoAt'] as const) : []),
    // What a person has forced is done.
    ...(isForced && !isLeft ? (['forcedUntil'] as const) : []),
  ];
  await apply(table, [{ op: 'update', key, expect: { rev: row.rev, todoAt: row.todoAt ?? null }, set, remove }]);
  failures.throwFirst();
}

function nextLook(
  { policy, enabled }: ArchivePolicyRow,
  { isOpen, end, now, isLeft }: { isOpen: boolean; end: number | undefined; now: string; isLeft: boolean },
): string | null {
  // As soon as sweep runs again, or a job of the archive has ended.
  if (isLeft) return now;
  if (!enabled) return null;
  if (!isOpen) return isoOf(nextWindow(Date.parse(now), policy));
  const idle = Date.parse(now) + IDLE_MINUTES * MINUTE_MS;
  return isoOf(end !== undefined && end <= idle ? nextWindow(end + MINUTE_MS, policy) : idle);
}

/**
 * Looks through the media of a collection that have become old enough since the last time, each of them once: an idle day costs one query,
 * whatever the size of the library.
 */
async function findCandidates(services: SweepServices, policyRow: ArchivePolicyRow): Promise<void> {
  const { table, now, timeIsUp } = services;
  const { creatorId, collectionId, policy, rev } = policyRow;
  const of = { creatorId, collectionId };
  const to = plus(now, { days: -policy.minAgeDays });
  const failures = new Failures();
  let cursor = policyRow.cursor;
  for (let isMore = true; isMore && !timeIsUp(); ) {
    const after = cursor === undefined ? undefined : JSON.parse(cursor);
    const page = await queryMediaKeys(table, of, { limit: PAGE, to, after });
    const keys = page.items.map(({ pk }) => ({ pk, sk: rowKeys.archive('').sk }));
    const media = new Map(
      (await getRows(table, page.items, MediaRow, true)).map((row) => [rowKeys.media(row.mediaId).pk, row]),
    );
    const known = new Map((await getRows(table, keys, ArchiveRow, true)).map((row) => [row.mediaId, row]));
    const settled = page.items.findIndex(({ pk }) => media.get(pk)?.state === 'uploading');
    const items = settled < 0 ? page.items : page.items.slice(0, settled);
    let failed = -1;
    for (const [i, item] of items.entries()) {
      const row = media.get(item.pk);
      if (!row) continue;
      const noted = noteCandidate(services, policyRow, row, known.get(row.mediaId) ?? null).catch((error: unknown) => {
        if (failed < 0) failed = i;
        throw error;
      });
      await failures.of(item, noted);
    }
    // The next run begins with the one that failed.
    const last = items.slice(0, failed < 0 ? items.length : failed).at(-1);
    services.report('archiveLookedAt', items.length);
    if (!last) break;
    cursor = JSON.stringify(positionOf(last, of));
    const key = rowKeys.archivePolicy(creatorId, collectionId);
    // Lost: the policy has changed, and everything is looked through again.
    if ((await apply(table, [{ op: 'update', key, expect: { rev }, set: { cursor } }])) === 'lost') break;
    isMore = page.next !== undefined && settled < 0 && failed < 0;
  }
  failures.throwFirst();
}

async function noteCandidate(
  services: SweepServices,
  { policy }: ArchivePolicyRow,
  listed: MediaRow,
  archive: ArchiveRow | null,
): Promise<void> {
  const { table, now } = services;
  const due = { policy: collectionPolicyKey(policy), now };
  let first: { media: MediaRow; row: ArchiveRow | null } | null = { media: listed, row: archive };
  await applyWithRetry(table, async () => {
    const { media, row } = first ?? {
      media: await getMedia(table, listed.mediaId),
      row: await getArchive(services, listed.mediaId),
    };
    first = null;
    return media ? archiveDueNow(media, row, due) : { refused: 'the media item is gone' };
  });
}

interface Started {
  /** Why nothing more is encoded. */
  waits?: string;
  /** Whether candidates are left. */
  isLeft: boolean;
}

async function startSome(
  services: SweepServices,
  row: ArchivePolicyRow,
  { isOpen, end, failures }: { isOpen: boolean; end: number | undefined; failures: Failures },
): Promise<Started> {
  const { table, now } = services;
  const { policy, creatorId, collectionId, enabled } = row;
  const todo = archiveDue(creatorId, collectionId);
  const { items } = await queryTodo(table, todo, { until: now, limit: 1 });
  if (items.length === 0) return { isLeft: false };
  const stats = await getRow(table, rowKeys.archiveStats(creatorId, collectionId), ArchiveStatsRow);
  const turn = { row, isOpen, end, savedPart: savedPartOf(stats, policy) };
  const started = await startDue(services, todo, { turn, failures, places: await placesFor(services, row) });
  const closed = !isOpen && enabled ? `outside the window ${policy.window} (${policy.timeZone})` : undefined;
  const waits = started.waits ?? closed;
  return { isLeft: started.isLeft, ...(waits !== undefined && { waits }) };
}

/**
 * The oldest first, while there are places for workers; a move needs none, so that all of those are begun for which there is time. One that
 * fails does not hold up those behind it.
 */
async function startDue(
  services: SweepServices,
  todo: string,
  how: { turn: Omit<Turn, 'mayEncode' | 'mayRestore'>; places: Places; failures: Failures },
): Promise<Started> {
  const { turn, places, failures } = how;
  const { method, maxConcurrent } = turn.row.policy;
  const most = method === 'reencode' ? LOOKED_AT : LOOKED_PAST;
  let { free, waits } = places;
  let [notBegun, isLeft, restoring] = [0, false, places.restoring];
  const ended = (left: boolean): Started => ({ isLeft: left, ...(waits !== undefined && { waits }) });
  for await (const items of due(services, todo)) {
    for (const { pk, sk } of items) {
      const mayEncode = waits === undefined && free > 0;
      const mayMove = method !== 'reencode' && !places.isUnsafe;
      if (!(mayEncode || mayMove) || notBegun === most || services.timeIsUp()) return ended(true);
      const mayRestore = restoring < RESTORED_AHEAD * maxConcurrent;
      let done: Begun = { needsPlace: true };
      const begin = async () => {
        done = await startOne(services, { pk, sk }, { ...turn, mayEncode, mayRestore });
      };
      await failures.of({ pk, sk }, begin());
      if (done.isClosed) return ended(false);
      if (done.started === 'encode') free--;
      if (done.started === 'restore') restoring++;
      if (done.started === undefined) notBegun++;
      waits ??= done.capped;
      isLeft ||= done.needsPlace === true || done.capped !== undefined;
    }
  }
  return ended(isLeft || services.timeIsUp());
}

interface Places {
  free: number;
  /** Originals of the collection that are being restored. */
  restoring: number;
  waits?: string;
  /** The bucket may remove what the archive relies on: nothing is moved, either. */
  isUnsafe?: true;
}

/** How many may be begun: below the policy's number, the deployment's, and only while no upload waits for a worker. */
async function placesFor(services: SweepServices, row: ArchivePolicyRow): Promise<Places> {
  const { table, s3, uploadsBucket, now, archive } = services;
  const { policy } = row;
  const none = { free: 0, restoring: 0 };
  // In a bucket with rules of somebody else's.
  const fault = lifecycleFault(await lifecycleRules(s3, uploadsBucket), policy.keepOriginalDays);
  if (fault !== null) return { ...none, waits: `lifecycle_too_short: ${fault}`, isUnsafe: true };
  const load = await getRow(table, engineKeys.load, LoadRow);
  const waiting = load && plus(load.at, { minutes: LOAD_MINUTES }) >= now ? load.waiting[ENGINE] : undefined;
  if (waiting === undefined) return { ...none, waits: 'it is not known whether uploads wait' };
  if (waiting > 0) return { ...none, waits: `${waiting} encodes of uploads wait for a worker` };
  const jobs = (await rowsOf(services, DUE_WORK.archiveJob)).filter(({ state }) => state === 'encoding');
  const isMine = (of: ArchiveRow) => of.creatorId === row.creatorId && of.collectionId === row.collectionId;
  const restoring = (await rowsOf(services, DUE_WORK.archiveRestore)).filter(isMine).length;
  const mine = jobs.filter(isMine).length;
  return { free: Math.min(policy.maxConcurrent - mine, archive.atOnce - jobs.length), restoring };
}

async function rowsOf({ table }: SweepServices, todo: string): Promise<ArchiveRow[]> {
  const { items } = await queryTodo(table, todo, { until: '9999', limit: MOST_UNDER_WAY });
  return getRows(table, items, ArchiveRow, true);
}
