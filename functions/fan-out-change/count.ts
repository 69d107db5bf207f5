import { PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { getRow, type Table } from '../../aws/table.ts';
import { getRows } from '../../aws/table-queries.ts';
import { costsOf } from '../../core/api/costs.ts';
import { type Counted, countMedia, type News, Share } from '../../core/api/stats.ts';
import { REFUSALS } from '../../core/contracts/errors.ts';
import type { ChangeMessage, MediaStateChanged, StateChange } from '../../core/contracts/events.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import { ExperienceRow } from '../../core/contracts/table/engines.ts';
import { actualOf, JobRow } from '../../core/contracts/table/jobs.ts';
import { apiKeys, engineKeys, type RowKey, rowKeys } from '../../core/contracts/table/keys.ts';
import { MediaRow } from '../../core/contracts/table/media.ts';
import { learn } from '../../core/jobs/experience.ts';
import { epochSeconds } from '../../core/time.ts';

/** Days for which the hourly counts are kept; health reads 24 hours. */
const HOURS_DAYS = 3;
/** Days for which the costs of a day are kept: as long as what counts for caps. */
const COSTS_DAYS = 400;
/** Media items in one transaction: DynamoDB takes 100 items, among them the count row, those of some hours, 16 of experience, and costs. */
const MEDIA_AT_ONCE = 70;
const MOST_ITEMS = 100;
/** Rounds of reading and counting when another batch counts the same creator at the same moment. */
const MAX_ROUNDS = 8;
const PAUSE_MS = 20;

/**
 * Counts a batch of changes of one creator's media for stats and health, exactly once however often each is delivered: one transaction
 * for each 70 media items, so that the creator's count row does not get a write for each change.
 */
export async function countChanges(table: Table, messages: readonly ChangeMessage[], now: string): Promise<void> {
  const news = await newsOf(table, messages, now);
  for (let i = 0; i < news.length; i += MEDIA_AT_ONCE) await countSome(table, news.slice(i, i + MEDIA_AT_ONCE), now);
  const failed = messages.flatMap((message) => (isFailure(message) ? [message.detail] : []));
  const latest = failed.sort((a, b) => (a.at < b.at ? 1 : -1))[0];
  if (latest?.error) await noteFailure(table, latest, latest.error);
}

/** The news by media item, with the jobs that the messages name. */
async function newsOf(table: Table, messages: readonly ChangeMessage[], now: string): Promise<News[]> {
  const ids = messages.flatMap(({ detail: { jobId } }) => (jobId ? [parseJobId(jobId)] : []));
  const jobs = await getRows(table, unique(ids.map(({ mediaId, n }) => rowKeys.job(mediaId, n))), JobRow, true);
  const news = new Map<string, News>();
  for (const message of messages) {
    const { mediaId, creatorId } = message.detail;
    const known: News = news.get(mediaId) ?? {
      mediaId,
      creatorId,
      ends: [],
      jobs: jobs.filter((job) => job.mediaId === mediaId && job.cost),
      at: now,
    };
    if (message['detail-type'] === 'Media State Changed') known.ends.push(...endOf(message.detail));
    news.set(mediaId, known);
  }
  return [...news.values()];
}

function endOf(change: StateChange): News['ends'] {
  if (change.held || change.archive || (change.to !== 'ready' && change.to !== 'failed')) return [];
  // Somebody has ended it: that says nothing of the pipeline.
  if (change.error?.code === 'cancelled') return [];
  // A re-transcode that failed left the media item ready, with the error.
  const isGood = change.to === 'ready' && change.error === undefined;
  return [{ seq: change.seq, at: change.at, how: isGood ? 'ready' : isRefusal(change) ? 'refused' : 'failed' }];
}

function isRefusal({ error }: StateChange): boolean {
  return error !== undefined && REFUSALS.has(error.code);
}

function isFailure(message: ChangeMessage): message is MediaStateChanged {
  if (message['detail-type'] !== 'Media State Changed' || message.detail.to !== 'failed') return false;
  return message.detail.error?.code !== 'cancelled' && !isRefusal(message.detail);
}

async function countSome(table: Table, news: readonly News[], now: string): Promise<void> {
  for (let round = 1; ; round += 1) {
    const done = await tryToCount(table, news, now);
    if (done === 'written') return;
    if (done === 'too many') {
      const half = Math.ceil(news.length / 2);
      await countSome(table, news.slice(0, half), now);
      return countSome(table, news.slice(half), now);
    }
    if (round === MAX_ROUNDS)
      throw new Error(`${news[0]?.creatorId}: ${MAX_ROUNDS} rounds conflicted with other changes`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** round * Math.random()));
  }
}

/** `conflict`: it met another batch, and has to be repeated. `too many`: for one transaction, of several media items. */
async function tryToCount(
  table: Table,
  news: readonly News[],
  now: string,
): Promise<'written' | 'conflict' | 'too many'> {
  const shareKeys = news.map(({ mediaId }) => apiKeys.share(mediaId));
  // In this order: a media item that changes after its share was read has its own message, which counts it again.
  const shares = new Map((await getRows(table, shareKeys, Share, true)).map((share) => [share.mediaId, share]));
  const mediaKeys = news.map(({ mediaId }) => rowKeys.media(mediaId));
  const media = new Map((await getRows(table, mediaKeys, MediaRow, true)).map((row) => [row.mediaId, row]));
  const counted = news.flatMap((one) => {
    const before = shares.get(one.mediaId) ?? null;
    const result = countMedia(before, media.get(one.mediaId) ?? null, one);
    return result ? [{ before, ...result }] : [];
  });
  const [first] = counted;
  if (!first) return 'written';
  const items = [
    ...counted.map(({ before, share }) => replaced(table, before, share)),
    ...added(table, apiKeys.counts(first.share.creatorId), sumOf(counted.map(({ amounts }) => amounts))),
    ...hoursOf(table, counted, now),
    ...(await learnt(table, counted)),
    ...costs(table, counted, now),
  ];
  if (items.length > MOST_ITEMS && news.length > 1) return 'too many';
  return transact(table, items);
}

type Item = NonNullable<ConstructorParameters<typeof TransactWriteCommand>[0]['TransactItems']>[number];

function replaced(table: Table, before: Share | null, share: Share): Item {
  const Item = { ...apiKeys.share(share.mediaId), ...share };
  if (!before) return { Put: { TableName: table.name, Item, ConditionExpression: 'attribute_not_exists(pk)' } };
  const known = before.rev === undefined ? 'attribute_not_exists(rev)' : 'rev = :rev';
  const values = before.rev === undefined ? {} : { ExpressionAttributeValues: { ':rev': before.rev } };
  return { Put: { TableName: table.name, Item, ConditionExpression: `attribute_exists(pk) AND ${known}`, ...values } };
}

/** The experience with the classes of the jobs that are counted now. */
async function learnt(table: Table, counted: readonly Counted[]): Promise<Item[]> {
  const jobs = counted.flatMap(({ paid }) => paid.filter((job) => job.estimate && actualOf(job)));
  const items: Item[] = [];
  for (const of of new Set(jobs.flatMap(({ estimate }) => estimate?.of ?? []))) {
    const before = await getRow(table, engineKeys.experience(of), ExperienceRow);
    const ofClass = jobs.filter(({ estimate }) => estimate?.of === of);
    const Item = { ...engineKeys.experience(of), ...learn(before, ofClass) };
    const condition = before
      ? { ConditionExpression: 'rev = :rev', ExpressionAttributeValues: { ':rev': before.rev } }
      : { ConditionExpression: 'attribute_not_exists(pk)' };
    items.push({ Put: { TableName: table.name, Item, ...condition } });
  }
  return items;
}

function sumOf(amounts: readonly Record<string, number>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const one of amounts) for (const [name, amount] of Object.entries(one)) sum[name] = (sum[name] ?? 0) + amount;
  return sum;
}

function hoursOf(table: Table, counted: readonly Counted[], now: string): Item[] {
  const hours = new Set(counted.flatMap((one) => Object.keys(one.hours)));
  const expiresAt = epochSeconds(now, { days: HOURS_DAYS });
  return [...hours].flatMap((hour) =>
    added(table, apiKeys.hour(hour), sumOf(counted.flatMap((one) => one.hours[hour] ?? [])), { expiresAt }),
  );
}

function costs(table: Table, counted: readonly Counted[], now: string): Item[] {
  const expiresAt = epochSeconds(now, { days: COSTS_DAYS });
  const days = costsOf(counted.flatMap(({ paid }) => paid));
  return days.flatMap(({ key, amounts, set }) => added(table, key, amounts, { ...set, expiresAt }));
}

/** @param set attributes that are the same with each addition */
function added(
  table: Table,
  Key: RowKey,
  amounts: Record<string, number>,
  set: Readonly<Record<string, string | number>> = {},
): Item[] {
  const entries = Object.entries(amounts).filter(([, amount]) => amount !== 0);
  if (entries.length === 0) return [];
  const sets = Object.entries(set);
  const setting = sets.length === 0 ? '' : ` SET ${sets.map((_, i) => `#s${i} = :s${i}`).join(', ')}`;
  return [
    {
      Update: {
        TableName: table.name,
        Key,
        UpdateExpression: `ADD ${entries.map((_, i) => `#n${i} :n${i}`).join(', ')}${setting}`,
        ExpressionAttributeNames: {
          ...Object.fromEntries(entries.map(([name], i) => [`#n${i}`, name])),
          ...Object.fromEntries(sets.map(([name], i) => [`#s${i}`, name])),
        },
        ExpressionAttributeValues: {
          ...Object.fromEntries(entries.map(([, amount], i) => [`:n${i}`, amount])),
          ...Object.fromEntries(sets.map(([, value], i) => [`:s${i}`, value])),
        },
      },
    },
  ];
}

async function noteFailure(table: Table, change: StateChange, error: NonNullable<StateChange['error']>): Promise<void> {
  const row = { mediaId: change.mediaId, ...error, at: change.at };
  try {
    await table.client.send(
      new PutCommand({
        TableName: table.name,
        Item: { ...apiKeys.latestFailure, ...row },
        ConditionExpression: 'attribute_not_exists(#at) OR #at < :at',
        ExpressionAttributeNames: { '#at': 'at' },
        ExpressionAttributeValues: { ':at': row.at },
      }),
    );
  } catch (cause) {
    // A later job is noted.
    if (!(cause instanceof Error && cause.name === 'ConditionalCheckFailedException')) throw cause;
  }
}

/** `conflict`: a condition does not hold, or another transaction was at the same rows. */
async function transact(table: Table, TransactItems: Item[]): Promise<'written' | 'conflict'> {
  try {
    await table.client.send(new TransactWriteCommand({ TransactItems }));
    return 'written';
  } catch (error) {
    const { CancellationReasons = [] } = error as { CancellationReasons?: { Code?: string }[] };
    const met = CancellationReasons.some(
      ({ Code }) => Code === 'ConditionalCheckFailed' || Code === 'TransactionConflict',
    );
    if (met) return 'conflict';
    throw error;
  }
}

/** BatchGetItem refuses a key that is named twice. */
function unique(keys: readonly RowKey[]): RowKey[] {
  return [...new Map(keys.map((key) => [`${key.pk} ${key.sk}`, key])).values()];
}
