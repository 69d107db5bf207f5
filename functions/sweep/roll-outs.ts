import { eachLimit } from '../../aws/concurrency.ts';
import { send } from '../../aws/queue.ts';
import { apply, applyWithRetry, getMedia, getRow } from '../../aws/table.ts';
import { getRows, queryMedia } from '../../aws/table-queries.ts';
import type { PublishMessage } from '../../core/contracts/events.ts';
import { DUE_WORK, type RowKey, rowKeys } from '../../core/contracts/table/keys.ts';
import { MediaRow } from '../../core/contracts/table/media.ts';
import { RollOutRow } from '../../core/contracts/table/presets.ts';
import {
  flagOf,
  isFull,
  isOutdated,
  isPutBack,
  isWanted,
  LEAST_ROOM,
  next,
  onwards,
  roomFor,
  whatBecame,
  whyStop,
  withEnded,
} from '../../core/jobs/roll-out.ts';
import { flagMedia, isUnderWay, unflagMedia } from '../../core/jobs/transitions.ts';
import { collectionsWith } from '../shared/collections-with.ts';
import { readPreset } from '../shared/encoding.ts';
import { logger } from '../shared/observability.ts';
import { eachDue } from './due.ts';
import type { SweepServices } from './services.ts';

const AT_ONCE = 5;
const PAGE = 100;

/**
 * Takes a step of each roll-out. A step is written before it is acted on, and on the condition of the step before: of two runs at once one
 * goes on, and what a run that was stopped has not done yet is done by the next, because each media item says what it was flagged for.
 */
export async function driveRollOuts(services: SweepServices): Promise<void> {
  await eachDue(services, DUE_WORK.rollOut, (key) => takeStep(services, key));
}

async function takeStep(services: SweepServices, key: RowKey): Promise<void> {
  const { table, now } = services;
  const row = await getRow(table, key, RollOutRow);
  // The index lags.
  if (row?.todo !== DUE_WORK.rollOut || row.todoAt === undefined || row.todoAt > now) return;
  const looked: RollOutRow = { ...row, ...(await lookAtBatch(services, row)) };
  const gone: RollOutRow = { ...looked, ...(await goOn(services, looked)) };
  const step = next(row, { ...gone, ...onwards(gone, now) }, now);
  if ((await apply(table, step.change)) === 'lost') return;
  services.report('rollOutSteps');
  const { name, version, state, why } = step.row;
  if (state !== row.state) logger.info('roll-out', { name, version, was: row.state, is: state, why });
  await eachLimit(step.row.batch, AT_ONCE, (mediaId) => act(services, step.row, mediaId), services.timeIsUp);
}

/** What has become of the media under way. */
async function lookAtBatch({ table }: SweepServices, row: RollOutRow): Promise<Partial<RollOutRow>> {
  const rows = await getRows(table, row.batch.map(rowKeys.media), MediaRow, true);
  const byId = new Map(rows.map((media) => [media.mediaId, media]));
  const isOver = row.state === 'stopped' || row.state === 'putting-back';
  const ended = row.batch.flatMap((mediaId) => {
    const media = byId.get(mediaId) ?? null;
    const became = whatBecame(row, media);
    // What was not begun when it was stopped never is.
    if (became === 'to flag') return isOver ? [{ mediaId, media, became: 'skipped' as const }] : [];
    return became === 'waiting' ? [] : [{ mediaId, media, became }];
  });
  return withEnded(row, ended);
}

async function goOn(services: SweepServices, row: RollOutRow): Promise<Partial<RollOutRow>> {
  if (row.state === 'putting-back') return row.batch.length > 0 ? {} : putBack(services, row);
  if (row.state !== 'sampling' && row.state !== 'going') return {};
  const { version } = await readPreset(services.table, row.creatorId, row.name);
  const outdated = isOutdated(row, version);
  return outdated.state !== undefined || whyStop(row) !== undefined ? outdated : fill(services, row);
}

/** The media of all collections of a roll-out, page by page from its cursor on, each page with the cursor behind it. */
async function* pagesOf({ table }: SweepServices, row: RollOutRow, limit: () => number) {
  const { creatorId, cursor } = row;
  // What is put back may be in a collection that has another preset by now.
  const preset = row.state === 'putting-back' ? undefined : row.name;
  const ids = (await collectionsWith(table, creatorId, preset)).map(({ collectionId }) => collectionId).sort();
  const scope = row.collectionId === undefined ? ids : ids.filter((id) => id === row.collectionId);
  for (const [i, collectionId] of scope.entries()) {
    if (cursor && collectionId < cursor.collectionId) continue;
    const begun = cursor?.collectionId === collectionId ? cursor.after : undefined;
    let after: Record<string, unknown> | undefined = begun === undefined ? undefined : JSON.parse(begun);
    do {
      const options = { limit: limit(), after, consistent: true };
      const page = await queryMedia(table, { creatorId, collectionId }, options);
      after = page.next;
      const following = scope[i + 1];
      const otherwise = following === undefined ? undefined : { collectionId: following };
      yield { items: page.items, cursor: after ? { collectionId, after: JSON.stringify(after) } : otherwise };
    } while (after);
  }
}

/** Fills the places of the batch. */
async function fill(services: SweepServices, from: RollOutRow): Promise<Partial<RollOutRow>> {
  if (from.listed || isFull(from)) return { listed: true };
  if (roomFor(from) < LEAST_ROOM) return {};
  let row = from;
  // Where no collection has the preset any more, there are no pages.
  let rest: RollOutRow['cursor'];
  for await (const { items, cursor } of pagesOf(services, from, () => roomFor(row))) {
    for (const media of items) {
      if (isWanted(row, media)) row = { ...row, batch: [...row.batch, media.mediaId], taken: row.taken + 1 };
    }
    rest = cursor;
    if (isFull(row) || roomFor(row) < LEAST_ROOM || services.timeIsUp()) break;
  }
  const { batch, taken } = row;
  return { batch, taken, cursor: rest, listed: rest === undefined || isFull(row) };
}

/** Asks that viewers get the version before, of all media of a page. Asked twice it is done once: the version that it names is gone. */
async function putBack(services: SweepServices, row: RollOutRow): Promise<Partial<RollOutRow>> {
  const { sqs, publishQueueUrl, now } = services;
  let asked = row.putBack;
  let rest: RollOutRow['cursor'];
  for await (const { items, cursor } of pagesOf(services, row, () => PAGE)) {
    const back = items.flatMap((media) => (media.current && isPutBack(row, media, now) ? [media.current.jobId] : []));
    await eachLimit(back, AT_ONCE, (jobId) =>
      send(sqs, publishQueueUrl, { jobId, rollback: true, at: now } satisfies PublishMessage),
    );
    asked += back.length;
    rest = cursor;
    if (services.timeIsUp()) break;
  }
  return { putBack: asked, cursor: rest, listed: rest === undefined };
}

/** Flags a media item of the batch or, of a roll-out that was stopped, takes the flag away from what is not encoded yet. */
async function act({ table, now, report }: SweepServices, row: RollOutRow, mediaId: string): Promise<void> {
  const isOn = row.state === 'sampling' || row.state === 'going';
  const outcome = await applyWithRetry(table, async () => {
    const media = await getMedia(table, mediaId);
    if (!media) return { refused: 'the media item is gone' };
    const became = whatBecame(row, media);
    if (isOn) return became === 'to flag' ? flagMedia(media, now, flagOf(row)) : { refused: 'flagged before' };
    return became === 'waiting' && !isUnderWay(media) ? unflagMedia(media, now) : { refused: 'under way' };
  });
  if (isOn && !('refused' in outcome)) report('mediaFlagged');
}
