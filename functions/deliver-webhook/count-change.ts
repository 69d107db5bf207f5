import { TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { getJob, getMedia, getRow, type Table } from '../../aws/table.ts';
import { costNames, difference, Share, shareOf } from '../../core/api/stats.ts';
import { apiKeys } from '../../core/contracts/api.ts';
import type { MediaStateChanged } from '../../core/contracts/events.ts';
import { parseJobId } from '../../core/contracts/ids.ts';

type Change = MediaStateChanged['detail'];

/** A gone media's share stays for as long as an event can come late. */
const GONE_DAYS = 30;
/** Of the counts by the hour; health looks at 24. */
const HOURS_DAYS = 3;

/**
 * Counts a change of a media for stats and health, exactly once however often it comes. Throws on a conflict with another
 * change of the same creator: the message comes again.
 */
export async function countChange(table: Table, change: Change): Promise<void> {
  await countShare(table, change);
  if (change.jobId && (change.to === 'ready' || change.to === 'failed')) await countCost(table, change.jobId);
}

async function countShare(table: Table, change: Change): Promise<void> {
  const [before, media] = await Promise.all([
    getRow(table, apiKeys.share(change.mediaId), Share),
    change.to === null ? null : getMedia(table, change.mediaId),
  ]);
  if (before && before.seq >= change.seq) return;
  const share = shareOf(change, media);
  const gone = change.to === null && { expiresAt: daysAfter(change.at, GONE_DAYS) };
  await transact(table, [
    {
      Put: {
        TableName: table.name,
        Item: { ...apiKeys.share(change.mediaId), ...share, ...gone },
        ...(before
          ? { ConditionExpression: 'seq = :seq', ExpressionAttributeValues: { ':seq': before.seq } }
          : { ConditionExpression: 'attribute_not_exists(pk)' }),
      },
    },
    ...added(table, apiKeys.counts(change.creatorId), difference(before, share)),
    ...hourOf(table, change),
  ]);
  if (change.to === 'failed' && change.error) await noteFailure(table, change, change.error);
}

async function countCost(table: Table, jobId: string): Promise<void> {
  const { mediaId, n } = parseJobId(jobId);
  const job = await getJob(table, mediaId, n);
  if (!job?.cost) return;
  const names = costNames(job.engine, job.finishedAt ?? job.createdAt);
  const marker = { ...apiKeys.countedCost(jobId), type: 'counted' };
  await transact(table, [
    { Put: { TableName: table.name, Item: marker, ConditionExpression: 'attribute_not_exists(pk)' } },
    ...added(table, apiKeys.counts(job.creatorId), {
      [names.usd]: job.cost.usd,
      [names.vcpuSeconds]: job.cost.vcpuSeconds,
    }),
  ]);
}

type Item = NonNullable<ConstructorParameters<typeof TransactWriteCommand>[0]['TransactItems']>[number];

function added(
  table: Table,
  Key: { pk: string; sk: string },
  amounts: Record<string, number>,
  expiresAt?: number,
): Item[] {
  const entries = Object.entries(amounts).filter(([, amount]) => amount !== 0);
  if (entries.length === 0) return [];
  const expiry = expiresAt === undefined ? '' : ' SET #expiresAt = :expiresAt';
  return [
    {
      Update: {
        TableName: table.name,
        Key,
        UpdateExpression: `ADD ${entries.map((_, i) => `#n${i} :n${i}`).join(', ')}${expiry}`,
        ExpressionAttributeNames: {
          ...Object.fromEntries(entries.map(([name], i) => [`#n${i}`, name])),
          ...(expiry && { '#expiresAt': 'expiresAt' }),
        },
        ExpressionAttributeValues: {
          ...Object.fromEntries(entries.map(([, amount], i) => [`:n${i}`, amount])),
          ...(expiry && { ':expiresAt': expiresAt }),
        },
      },
    },
  ];
}

function hourOf(table: Table, change: Change): Item[] {
  if (change.to !== 'ready' && change.to !== 'failed') return [];
  // A re-transcode that failed left the media ready, with the error.
  const name = change.to === 'failed' || change.error ? 'failed' : 'ready';
  return added(table, apiKeys.hour(change.at.slice(0, 13)), { [name]: 1 }, daysAfter(change.at, HOURS_DAYS));
}

async function noteFailure(table: Table, change: Change, error: NonNullable<Change['error']>): Promise<void> {
  const Item = { ...apiKeys.latestFailure, mediaId: change.mediaId, ...error, at: change.at };
  await held(
    table.client.send(
      new UpdateCommand({
        TableName: table.name,
        Key: apiKeys.latestFailure,
        UpdateExpression: 'SET #mediaId = :mediaId, #code = :code, #message = :message, #at = :at',
        ConditionExpression: 'attribute_not_exists(#at) OR #at < :at',
        ExpressionAttributeNames: { '#mediaId': 'mediaId', '#code': 'code', '#message': 'message', '#at': 'at' },
        ExpressionAttributeValues: {
          ':mediaId': Item.mediaId,
          ':code': Item.code,
          ':message': Item.message,
          ':at': Item.at,
        },
      }),
    ),
  );
}

/** A condition that fails says that it was counted meanwhile. */
async function transact(table: Table, TransactItems: Item[]): Promise<void> {
  await held(table.client.send(new TransactWriteCommand({ TransactItems })));
}

async function held(sent: Promise<unknown>): Promise<void> {
  try {
    await sent;
  } catch (error) {
    const { name, CancellationReasons = [] } = error as Error & { CancellationReasons?: { Code?: string }[] };
    if (name === 'ConditionalCheckFailedException') return;
    if (CancellationReasons.some(({ Code }) => Code === 'ConditionalCheckFailed')) return;
    throw error;
  }
}

function daysAfter(iso: string, days: number): number {
  return Math.floor(Date.parse(iso) / 1000) + days * 86_400;
}
