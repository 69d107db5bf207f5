import { head } from '../../aws/s3.ts';
import { getCollection, getRow, settle } from '../../aws/table.ts';
import { countTodo } from '../../aws/table-queries.ts';
import type { JobRow } from '../../core/contracts/rows.ts';
import { CHORE, type CollectionRow, MediaRow, type RowKey, rowKeys, type Source } from '../../core/contracts/rows.ts';
import type { Outcome } from '../../core/jobs/change.ts';
import { isUnderWay, sourceToEncode, startAgain, unflagMedia } from '../../core/jobs/transitions.ts';
import { presetNamed } from '../shared/preset.ts';
import { logger } from '../shared/stack.ts';
import { submitJob } from '../shared/submit-job.ts';
import { due } from './due.ts';
import { minutesAfter, type SweepServices } from './services.ts';

/** A media whose job is under way keeps its flag, and is looked at again after this. */
const WAIT_MINUTES = 5;

/** Flagged media: one job each with the collection's preset of now, as long as fewer than the cap are unfinished. */
export async function startRetranscodes(services: SweepServices): Promise<void> {
  const { table, maxRetranscodes, did } = services;
  let unfinished = await countTodo(table, CHORE.retranscodeJob, maxRetranscodes);
  for await (const items of due(services, CHORE.retranscode)) {
    for (const { pk, sk } of items) {
      if (unfinished >= maxRetranscodes || services.timeIsUp()) return;
      const job = await startOne(services, { pk, sk });
      if (!job) continue;
      unfinished++;
      did('retranscodesStarted');
      // Not submitted now, the job is found without an engine's id by a later run.
      await submitJob(services.engine, job, false).catch((error: unknown) => {
        logger.error('not submitted', { jobId: job.jobId, error });
      });
    }
  }
}

async function startOne(services: SweepServices, key: RowKey): Promise<JobRow | null> {
  const { table, now, did } = services;
  let happened: 'retranscodesWaiting' | 'originalsGone' | null = null;
  const outcome = await settle(table, async (): Promise<Outcome<{ job?: JobRow }>> => {
    happened = null;
    const media = await getRow(table, key, MediaRow);
    if (!media || media.todo !== CHORE.retranscode) return { none: 'seen to' };
    if (!media.scheduleRetranscode) return unflagMedia(media, now);
    if (isUnderWay(media)) {
      happened = 'retranscodesWaiting';
      return { change: [postpone(media, now)] };
    }
    const collection = await getCollection(table, media.creatorId, media.collectionId);
    const source = await findSource(services, media, collection);
    if (source) return startAgain(media, { source, preset: presetNamed(collection?.preset ?? ''), now });
    happened = 'originalsGone';
    const message = 'The original was deleted, and the collection does not allow to encode from the MP4.';
    return unflagMedia(media, now, { code: 'original_gone', message, at: now });
  });
  if ('none' in outcome) return null;
  if (happened) did(happened);
  return outcome.job ?? null;
}

/** The original while it is there; otherwise the MP4 made from it, where the collection allows that. */
async function findSource(
  { s3, mediaBucket }: SweepServices,
  media: MediaRow,
  collection: CollectionRow | null,
): Promise<Source | null> {
  const original = sourceToEncode(media);
  if (await head(s3, original)) return original;
  const mp4 = media.current?.outputs.mp4;
  if (!collection?.retranscodeFromOutput || mp4 === undefined) return null;
  const found = await head(s3, { bucket: mediaBucket, key: mp4 });
  if (!found) return null;
  const { size, etag } = found;
  return { bucket: mediaBucket, key: mp4, sequencer: original.sequencer, size, etag };
}

function postpone(media: MediaRow, now: string) {
  const expect = { state: media.state, todo: CHORE.retranscode };
  const set = { todoAt: minutesAfter(now, WAIT_MINUTES) };
  return { op: 'update' as const, key: rowKeys.media(media.mediaId), expect, set };
}
