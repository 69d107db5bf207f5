import { head } from '../../aws/s3.ts';
import { applyWithRetry, getCollection, getJob, getRow } from '../../aws/table.ts';
import { countTodo, queryTodo } from '../../aws/table-queries.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import type { CollectionRow } from '../../core/contracts/table/collections.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { DUE_WORK, type RowKey, rowKeys } from '../../core/contracts/table/keys.ts';
import { MediaRow, type Source } from '../../core/contracts/table/media.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import { hasLapsed } from '../../core/jobs/roll-out.ts';
import {
  holdRetranscode,
  isUnderWay,
  outputToEncode,
  sourcesToEncode,
  startAgain,
  unflagMedia,
  wasRefused,
} from '../../core/jobs/transitions.ts';
import { plus } from '../../core/time.ts';
import { room } from '../shared/caps.ts';
import { encodingOf } from '../shared/encoding.ts';
import { logger } from '../shared/observability.ts';
import { submitJob } from '../shared/submit-job.ts';
import { expandCollections } from './collections.ts';
import { eachDue } from './due.ts';
import { withLease } from './lease.ts';
import type { SweepServices } from './services.ts';

/** A media item with an unfinished job keeps its flag, and is checked again after this time. */
const WAIT_MINUTES = 5;
/** The same for one that a cap has no room for; its job is held, too, if the room is less than it may cost. */
const HELD_MINUTES = 60;
const LEAST_USD = 0.000001;
/** Restores cost money before anything is encoded: so many for each place under the cap are asked for at a time. */
const RESTORES_FOR_A_PLACE = 10;

/** Flags of collections become flags of media items, and those become jobs; each may take half of the time. */
export async function renewMedia(services: SweepServices): Promise<void> {
  const half = services.remainingMs() / 2;
  try {
    await expandCollections({ ...services, timeIsUp: () => services.remainingMs() <= half });
  } finally {
    await startRetranscodes(services);
  }
}

/** Flagged media items: one job each with the collection's current preset, as long as fewer than the cap are unfinished. */
export async function startRetranscodes(services: SweepServices): Promise<void> {
  const { items } = await queryTodo(services.table, DUE_WORK.retranscode, { until: services.now, limit: 1 });
  if (items.length > 0) await withLease(services, 'retranscodes', () => startWhileThereIsRoom(services));
}

async function startWhileThereIsRoom(services: SweepServices): Promise<void> {
  const { table, maxRetranscodes } = services;
  let unfinished = await countTodo(table, DUE_WORK.retranscodeJob, maxRetranscodes);
  const mostRestores = RESTORES_FOR_A_PLACE * maxRetranscodes;
  let restoring = await countTodo(table, DUE_WORK.restoringJob, mostRestores);
  const timeIsUp = () => unfinished >= maxRetranscodes || services.timeIsUp();
  await eachDue({ ...services, timeIsUp }, DUE_WORK.retranscode, async (key) => {
    const job = await startOne(services, key, () => restoring < mostRestores);
    if (!job) return;
    unfinished++;
    services.report('retranscodesStarted');
    // A job that is not submitted now is found by a later run, without an engine's id.
    const done = await submitJob(services, job, 'restore').catch((error: unknown) => {
      logger.error('not submitted', { jobId: job.jobId, error });
    });
    if (done !== 'held') return;
    unfinished--;
    restoring++;
  });
}

async function startOne(services: SweepServices, key: RowKey, mayRestore: () => boolean): Promise<JobRow | null> {
  const { table, now, report } = services;
  let happened: 'retranscodesWaiting' | 'originalsGone' | 'jobsHeld' | null = null;
  const outcome = await applyWithRetry(table, async (): Promise<Outcome<{ job?: JobRow }>> => {
    happened = null;
    const media = await getRow(table, key, MediaRow);
    if (!media || media.todo !== DUE_WORK.retranscode) return { refused: 'seen to' };
    if (!media.scheduleRetranscode || wasRefused(media)) return unflagMedia(media, now);
    if (isUnderWay(media)) {
      happened = 'retranscodesWaiting';
      return { change: [postpone(media, now)] };
    }
    const collection = await getCollection(table, media.creatorId, media.collectionId);
    const encoding = await encodingOf(table, media.creatorId, collection, media);
    if (hasLapsed(media, encoding.preset)) return unflagMedia(media, now);
    const { over } = await room(services, media, collection, LEAST_USD, now);
    if (over) {
      happened = 'jobsHeld';
      return holdRetranscode(media, over, plus(now, { minutes: HELD_MINUTES }));
    }
    const found = await findSource(services, media, collection);
    if ('source' in found) {
      if (found.isArchived && !mayRestore()) {
        happened = 'retranscodesWaiting';
        return { change: [postpone(media, now)] };
      }
      return startAgain(media, { ...encoding, purpose: 'retranscode', source: found.source, now });
    }
    happened = 'originalsGone';
    return unflagMedia(media, now, { code: 'original_gone', message: found.gone, at: now });
  });
  if ('refused' in outcome) return null;
  if (happened) report(happened);
  return outcome.job ?? null;
}

/** The original while it exists; otherwise an output made from it, where the collection allows that. */
async function findSource(
  { table, s3, mediaBucket }: SweepServices,
  media: MediaRow,
  collection: CollectionRow | null,
): Promise<{ source: Source; isArchived: boolean } | { gone: string }> {
  const lastJob = media.jobId === undefined ? null : await getJob(table, media.mediaId, parseJobId(media.jobId).n);
  const originals = sourcesToEncode(media, lastJob);
  for (const source of originals) {
    const found = await head(s3, source);
    if (found) return { source, isArchived: found.archived !== undefined };
  }
  if (!collection?.retranscodeFromOutput) {
    return { gone: 'The original was deleted, and the collection does not allow to encode from an output.' };
  }
  const output = outputToEncode(media);
  const found = output && (await head(s3, { bucket: mediaBucket, key: output.key }));
  if (!found) return { gone: 'The original was deleted, and there is no output to encode from.' };
  const { sequencer } = media.source;
  const size = output.bytes ?? found.size;
  const source = { bucket: mediaBucket, key: output.key, sequencer, size, etag: found.etag };
  return { source, isArchived: false };
}

function postpone(media: MediaRow, now: string) {
  const expect = { state: media.state, todo: DUE_WORK.retranscode };
  const set = { todoAt: plus(now, { minutes: WAIT_MINUTES }) };
  return { op: 'update' as const, key: rowKeys.media(media.mediaId), expect, set };
}
