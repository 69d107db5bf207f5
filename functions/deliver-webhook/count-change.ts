import { PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
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

/** Rounds of reading and counting when another change of the same creator or media is counted at the same moment. */
const MAX_ROUNDS = 8;
const PAUSE_MS = 20;

/** Counts a change of a media for stats and health, exactly once however often it comes. */
export async function countChange(table: Table, change: Change): Promise<void> {
  await countShare(table, change);
  if (change.jobId && (change.to === 'ready' || change.to === 'failed')) await countCost(table, change.jobId);
}

async function countShare(table: Table, change: Change): Promise<void> {
  for (let round = 1; !(await tryShare(table, change)); round += 1) {
    if (round === MAX_ROUNDS) throw new Error(`${change.mediaId}: ${MAX_ROUNDS} rounds met other changes`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** round * Math.random()));
  }
  if (change.to === 'failed' && change.error) await noteFailure(table, change, change.error);
}

/** False when it met another change, and has to look again. */
async function tryShare(table: Table, change: Change): Promise<boolean> {
  const [before, media] = await Promise.all([
    getRow(table, apiKeys.share(change.mediaId), Share),
    change.to === null ? null : getMedia(table, change.mediaId),
  ]);
  if (before && before.seq >= change.seq) return true;
  const share = shareOf(change, media);
  const gone = change.to === null && { expiresAt: daysAfter(change.at, GONE_DAYS) };
  const outcome = await transact(table, [
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
  return outcome === 'done';
}

async function countCost(table: Table, jobId: string): Promise<void> {
  const { mediaId, n } = parseJobId(jobId);
  const job = await getJob(table, mediaId, n);
  if (!job?.cost) return;
  const names = costNames(job.engine, job.finishedAt ?? job.createdAt);
  const marker = { ...apiKeys.countedCost(jobId), type: 'counted' };
  const items = [
    { Put: { TableName: table.name, Item: marker, ConditionExpression: 'attribute_not_exists(pk)' } },
    ...added(table, apiKeys.counts(job.creatorId), {
      [names.usd]: job.cost.usd,
      [names.vcpuSeconds]: job.cost.vcpuSeconds,
    }),
  ];
  for (let round = 1; (await transact(table, items)) === 'conflict'; round += 1) {
    if (round === MAX_ROUNDS) throw new Error(`${jobId}: ${MAX_ROUNDS} rounds met other changes`);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * 2 ** round * Math.random()));
  }
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
    // A later one is noted.
    if (!(cause instanceof Error && cause.name === 'ConditionalCheckFailedException')) throw cause;
  }
}

/** `refused`: a condition does not hold. `conflict`: another transaction was at the same rows. */
async function transact(table: Table, TransactItems: Item[]): Promise<'done' | 'refused' | 'conflict'> {
  try {
    await table.client.send(new TransactWriteCommand({ TransactItems }));
    return 'done';
  } catch (error) {
    const { CancellationReasons = [] } = error as { CancellationReasons?: { Code?: string }[] };
    const codes = CancellationReasons.map(({ Code }) => Code);
    if (codes.includes('ConditionalCheckFailed')) return 'refused';
    if (codes.includes('TransactionConflict')) return 'conflict';
    throw error;
  }
}

function daysAfter(iso: string, days: number): number {
  return Math.floor(Date.parse(iso) / 1000) + days * 86_400;
}
