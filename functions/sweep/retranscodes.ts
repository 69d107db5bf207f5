import { head } from '../../aws/s3.ts';
import { apply, getCollection, getJob, getRow, settle } from '../../aws/table.ts';
import { countTodo, queryTodo } from '../../aws/table-queries.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import {
  CHORE,
  type CollectionRow,
  type JobRow,
  MediaRow,
  type RowKey,
  rowKeys,
  type Source,
  TurnRow,
} from '../../core/contracts/rows.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import {
  isUnderWay,
  outputToEncode,
  sourcesToEncode,
  startAgain,
  unflagMedia,
  wasRefused,
} from '../../core/jobs/transitions.ts';
import { presetNamed } from '../shared/preset.ts';
import { logger } from '../shared/stack.ts';
import { submitJob } from '../shared/submit-job.ts';
import { eachDue } from './due.ts';
import { minutesAfter, type SweepServices } from './services.ts';

/** A media whose job is under way keeps its flag, and is looked at again after this. */
const WAIT_MINUTES = 5;
/** The longest that a run takes, by its function's time-out: after that, one that holds the turn has died. */
const TURN_MINUTES = 4.75;

/** Flagged media: one job each with the collection's preset of now, as long as fewer than the cap are unfinished. */
export async function startRetranscodes(services: SweepServices): Promise<void> {
  const { items } = await queryTodo(services.table, CHORE.retranscode, { until: services.now, limit: 1 });
  if (items.length > 0) await inTurn(services, () => startWhileThereIsRoom(services));
}

/**
 * One run at a time: two that meet would start as many as the cap each, and Lambda may run the function twice for one event.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
async function inTurn({ table, now }: SweepServices, work: () => Promise<void>): Promise<void> {
  const key = rowKeys.turn();
  const other = await getRow(table, key, TurnRow);
  if (other && other.until > now) return;
  const turn: TurnRow = { type: 'turn', until: minutesAfter(now, TURN_MINUTES) };
  const expect = { until: other?.until ?? null };
  if ((await apply(table, [{ op: 'update', key, expect, set: turn }])) === 'lost') return;
  try {
    await work();
  } finally {
    await apply(table, [{ op: 'remove', key, expect: { until: turn.until } }]);
  }
}

async function startWhileThereIsRoom(services: SweepServices): Promise<void> {
  const { table, maxRetranscodes } = services;
  let unfinished = await countTodo(table, CHORE.retranscodeJob, maxRetranscodes);
  const timeIsUp = () => unfinished >= maxRetranscodes || services.timeIsUp();
  await eachDue({ ...services, timeIsUp }, CHORE.retranscode, async (key) => {
    const job = await startOne(services, key);
    if (!job) return;
    unfinished++;
    services.did('retranscodesStarted');
    // Not submitted now, the job is found without an engine's id by a later run.
    await submitJob(services.engine, job, false).catch((error: unknown) => {
      logger.error('not submitted', { jobId: job.jobId, error });
    });
  });
}

async function startOne(services: SweepServices, key: RowKey): Promise<JobRow | null> {
  const { table, now, did } = services;
  let happened: 'retranscodesWaiting' | 'originalsGone' | null = null;
  const outcome = await settle(table, async (): Promise<Outcome<{ job?: JobRow }>> => {
    happened = null;
    const media = await getRow(table, key, MediaRow);
    if (!media || media.todo !== CHORE.retranscode) return { none: 'seen to' };
    if (!media.scheduleRetranscode || wasRefused(media)) return unflagMedia(media, now);
    if (isUnderWay(media)) {
      happened = 'retranscodesWaiting';
      return { change: [postpone(media, now)] };
    }
    const collection = await getCollection(table, media.creatorId, media.collectionId);
    const found = await findSource(services, media, collection);
    if ('source' in found) {
      const preset = presetNamed(collection?.preset ?? '');
      return startAgain(media, { purpose: 'retranscode', source: found.source, preset, now });
    }
    happened = 'originalsGone';
    return unflagMedia(media, now, { code: 'original_gone', message: found.gone, at: now });
  });
  if ('none' in outcome) return null;
  if (happened) did(happened);
  return outcome.job ?? null;
}

/** The original while it is there; otherwise an output made from it, where the collection allows that. */
async function findSource(
  { table, s3, mediaBucket }: SweepServices,
  media: MediaRow,
  collection: CollectionRow | null,
): Promise<{ source: Source } | { gone: string }> {
  const lastJob = media.jobId === undefined ? null : await getJob(table, media.mediaId, parseJobId(media.jobId).n);
  const originals = sourcesToEncode(media, lastJob);
  for (const source of originals) if (await head(s3, source)) return { source };
  if (!collection?.retranscodeFromOutput) {
    return { gone: 'The original was deleted, and the collection does not allow to encode from an output.' };
  }
  const output = outputToEncode(media);
  const found = output && (await head(s3, { bucket: mediaBucket, key: output.key }));
  if (!found) return { gone: 'The original was deleted, and no output is there to encode from.' };
  const { sequencer } = media.source;
  const size = output.bytes ?? found.size;
  return { source: { bucket: mediaBucket, key: output.key, sequencer, size, etag: found.etag } };
}

function postpone(media: MediaRow, now: string) {
  const expect = { state: media.state, todo: CHORE.retranscode };
  const set = { todoAt: minutesAfter(now, WAIT_MINUTES) };
  return { op: 'update' as const, key: rowKeys.media(media.mediaId), expect, set };
}
