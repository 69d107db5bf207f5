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
  shareOf,
  whatBecame,
  whatBecameAfterwards,
  whyNotToEnd,
  whyStop,
  withEnded,
} from '../../core/jobs/roll-out.ts';
import { flagMedia, isUnderWay, unflagMedia } from '../../core/jobs/transitions.ts';
import { collectionsWith } from '../shared/collections-with.ts';
import { readPreset } from '../shared/encoding.ts';
import { failJob } from '../shared/end-job.ts';
import { logger } from '../shared/observability.ts';
import { eachDue } from './due.ts';
import { patiently } from './patiently.ts';
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
  const gone: RollOutRow = { ...looked, ...(await goOn(services, looked, row.batch)) };
  const step = next(row, { ...gone, ...onwards(gone, now) }, now);
  if ((await apply(table, step.change)) === 'lost') return;
  services.report('rollOutSteps');
  const { name, version, state, why } = step.row;
  if (state !== row.state) logger.info('roll-out', { name, version, was: row.state, is: state, why });
  const actOn = async (mediaId: string) => {
    await patiently(services, () => act(services, step.row, mediaId));
  };
  await eachLimit(step.row.batch, AT_ONCE, actOn, services.timeIsUp);
}

/** It begins nothing any more. */
const isOver = ({ state }: RollOutRow) => state === 'stopped' || state === 'putting-back';

/** What has become of the media under way. What was made after somebody had ordered to put all back goes back at once. */
async function lookAtBatch(services: SweepServices, row: RollOutRow): Promise<Partial<RollOutRow>> {
  const { table, now } = services;
  const rows = await getRows(table, row.batch.map(rowKeys.media), MediaRow, true);
  const byId = new Map(rows.map((media) => [media.mediaId, media]));
  const ended = row.batch.flatMap((mediaId) => {
    const media = byId.get(mediaId) ?? null;
    const became = isOver(row) ? whatBecameAfterwards(row, media) : whatBecame(row, media);
    return became === 'to flag' || became === 'waiting' ? [] : [{ mediaId, media, became }];
  });
  if (row.state !== 'putting-back') return withEnded(row, ended);
  const back = jobsToPutBack(
    row,
    ended.flatMap(({ media }) => media ?? []),
    now,
  );
  await askToPutBack(services, back);
  return { ...withEnded(row, ended), putBack: row.putBack + back.length };
}

/** @param batch as it was before this step */
async function goOn(services: SweepServices, row: RollOutRow, batch: readonly string[]): Promise<Partial<RollOutRow>> {
  if (row.state === 'putting-back') return row.listed ? {} : putBack(services, row, new Set(batch));
  if (row.state !== 'sampling' && row.state !== 'going') return {};
  const { version } = await readPreset(services.table, row.creatorId, row.name);
  const outdated = isOutdated(row, version);
  return outdated.state !== undefined || whyStop(row) !== undefined ? outdated : fill(services, row);
}

/**
 * The media of all collections of a roll-out, page by page from its cursor on, each page with the cursor behind it.
 * @param isEnough whether the rest of the page's collection is left out
 */
async function* pagesOf(
  { table }: SweepServices,
  row: RollOutRow,
  limit: () => number,
  isEnough: () => boolean = () => false,
) {
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
      const within = after && { collectionId, after: JSON.stringify(after) };
      yield { items: page.items, collectionId, collections: scope.length, within, otherwise };
    } while (after && !isEnough());
  }
}

/** Fills the places of the batch. */
async function fill(services: SweepServices, from: RollOutRow): Promise<Partial<RollOutRow>> {
  if (from.listed || isFull(from)) return { listed: true };
  if (roomFor(from) < LEAST_ROOM) return {};
  let row = from;
  // Where no collection has the preset any more, there are no pages.
  let rest: RollOutRow['cursor'];
  /** Of a collection. */
  const here = { collectionId: from.cursor?.collectionId, taken: from.cursor?.taken ?? 0, share: 1 };
  const isEnough = () => here.taken >= here.share;
  const pages = pagesOf(services, from, () => roomFor(row), isEnough);
  for await (const { items, collectionId, collections, within, otherwise } of pages) {
    if (collectionId !== here.collectionId) Object.assign(here, { collectionId, taken: 0 });
    here.share = shareOf(row, collections);
    for (const media of items) {
      if (isEnough() || !isWanted(row, media)) continue;
      row = { ...row, batch: [...row.batch, media.mediaId], taken: row.taken + 1 };
      here.taken += 1;
    }
    rest = within && !isEnough() ? { ...within, taken: here.taken } : otherwise;
    if (isFull(row) || roomFor(row) < LEAST_ROOM || services.timeIsUp()) break;
  }
  const { batch, taken } = row;
  return { batch, taken, cursor: rest, listed: rest === undefined || isFull(row) };
}

function jobsToPutBack(row: RollOutRow, media: readonly MediaRow[], now: string): string[] {
  return media.flatMap((one) => (one.current && isPutBack(row, one, now) ? [one.current.jobId] : []));
}

/** Asks that viewers get the version before. Asked twice it is done once: the version that it names is gone. */
async function askToPutBack({ sqs, publishQueueUrl, now }: SweepServices, jobIds: readonly string[]): Promise<void> {
  await eachLimit(jobIds, AT_ONCE, (jobId) =>
    send(sqs, publishQueueUrl, { jobId, rollback: true, at: now } satisfies PublishMessage),
  );
}

/**
 * Puts back all that is made, without waiting for what is under way: versions before are kept for a day only.
 * @param underWay media that are looked at one by one
 */
async function putBack(
  services: SweepServices,
  row: RollOutRow,
  underWay: ReadonlySet<string>,
): Promise<Partial<RollOutRow>> {
  let asked = row.putBack;
  let rest: RollOutRow['cursor'];
  for await (const { items, within, otherwise } of pagesOf(services, row, () => PAGE)) {
    const listed = items.filter(({ mediaId }) => !underWay.has(mediaId));
    const back = jobsToPutBack(row, listed, services.now);
    await askToPutBack(services, back);
    asked += back.length;
    rest = within ?? otherwise;
    if (services.timeIsUp()) break;
  }
  return { putBack: asked, cursor: rest, listed: rest === undefined };
}

/** Flags a media item of the batch or, of a roll-out that was stopped, ends what is not encoded yet. */
async function act(services: SweepServices, row: RollOutRow, mediaId: string): Promise<void> {
  if (isOver(row)) return endUnbegun(services, row, mediaId);
  if (row.state !== 'sampling' && row.state !== 'going') return;
  const { table, now, report } = services;
  const outcome = await applyWithRetry(table, async () => {
    const media = await getMedia(table, mediaId);
    if (!media) return { refused: 'the media item is gone' };
    if (whatBecame(row, media) !== 'to flag') return { refused: 'flagged before' };
    return flagMedia(media, now, flagOf(row), 'roll-out');
  });
  if (!('refused' in outcome)) report('mediaFlagged');
}

/** Takes the flag away or, where a job is there that no engine has got, ends that: a cap may hold it for days. */
async function endUnbegun(services: SweepServices, row: RollOutRow, mediaId: string): Promise<void> {
  const { table, now } = services;
  let jobId: string | undefined;
  await applyWithRetry(table, async () => {
    jobId = undefined;
    const media = await getMedia(table, mediaId);
    if (!media || whatBecameAfterwards(row, media) !== 'waiting') return { refused: 'nothing is left to end' };
    if (!isUnderWay(media)) return unflagMedia(media, now);
    jobId = media.jobId;
    return { refused: 'under way' };
  });
  if (jobId === undefined) return;
  const told = { code: 'cancelled', message: 'Its roll-out was stopped before it had begun.' } as const;
  await failJob(services, jobId, { ...told, unless: whyNotToEnd });
}
