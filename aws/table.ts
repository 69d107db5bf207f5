import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { z } from 'zod';
import { CollectionRow } from '../core/contracts/table/collections.ts';
import { JobRow } from '../core/contracts/table/jobs.ts';
import { type RowKey, rowKeys } from '../core/contracts/table/keys.ts';
import { MediaRow } from '../core/contracts/table/media.ts';
import type { Change, Outcome } from '../core/jobs/change.ts';
import { addInput, checkInput, type Input, putInput, removeInput, updateInput } from './table-expressions.ts';

export interface Table {
  client: DynamoDBDocumentClient;
  name: string;
  /** Called for each row of a list that does not fit its schema, such as one of a later release: that row is left out. */
  onUnreadable?: (key: RowKey, error: z.ZodError) => void;
}

/**
 * The row as it is now (a consistent read), or null.
 * @throws ZodError for a row that does not fit the schema
 */
export async function getRow<Schema extends z.ZodType>(
  table: Table,
  key: RowKey,
  schema: Schema,
): Promise<z.infer<Schema> | null> {
  const { Item } = await table.client.send(new GetCommand({ TableName: table.name, Key: key, ConsistentRead: true }));
  return Item ? schema.parse(Item) : null;
}

export const getMedia = (table: Table, mediaId: string) => getRow(table, rowKeys.media(mediaId), MediaRow);
export const getJob = (table: Table, mediaId: string, n: number) => getRow(table, rowKeys.job(mediaId, n), JobRow);
export const getCollection = (table: Table, creatorId: string, collectionId: string) =>
  getRow(table, rowKeys.collection(creatorId, collectionId), CollectionRow);

/**
 * Makes a change completely, or not at all. `lost` when a row is not as the change expects: another writer was faster, or this same
 * change was made before and its answer lost. The caller reads again and decides again.
 */
export async function apply(table: Table, change: Change): Promise<'applied' | 'lost'> {
  for (let tries = 1; ; tries++) {
    try {
      await write(table, change);
      return 'applied';
    } catch (error) {
      const met = whatItMet(error);
      if (met === 'another state') return 'lost';
      if (met !== 'a transaction' || tries === CONFLICT_TRIES) throw error;
      await backOff(tries);
    }
  }
}

/** Attempts of a write that conflicts with a transaction. */
const CONFLICT_TRIES = 6;
/** In milliseconds. The longer is reached after seven tries. */
const [FIRST_PAUSE, LONGEST_PAUSE] = [25, 3_200];

/** Pauses before a retry: up to 50 ms after the first try, twice that after each further one, with full jitter. */
export async function backOff(tries: number): Promise<void> {
  const pause = Math.min(FIRST_PAUSE * 2 ** tries, LONGEST_PAUSE) * Math.random();
  await new Promise((resolve) => setTimeout(resolve, pause));
}

async function write(table: Table, change: Change): Promise<void> {
  const [only] = change;
  const base = { TableName: table.name };
  if (change.length > 1 || !only || only.op === 'check') {
    const TransactItems = change.map((each) => transactItem(table.name, each));
    await table.client.send(new TransactWriteCommand({ TransactItems }));
  } else if (only.op === 'put') await table.client.send(new PutCommand({ ...base, ...putInput(only) }));
  else if (only.op === 'add') await table.client.send(new UpdateCommand({ ...base, ...addInput(only) }));
  else if (only.op === 'update') await table.client.send(new UpdateCommand({ ...base, ...updateInput(only) }));
  else await table.client.send(new DeleteCommand({ ...base, ...removeInput(only) }));
}

function transactItem(TableName: string, write: Change[number]) {
  const base = { TableName };
  switch (write.op) {
    case 'put':
      return { Put: { ...base, ...putInput(write) } };
    case 'add':
      return { Update: { ...base, ...(addInput(write) satisfies Input) } };
    case 'update':
      return { Update: { ...base, ...(updateInput(write) satisfies Input) } };
    case 'remove':
      return { Delete: { ...base, ...removeInput(write) } };
    case 'check':
      return { ConditionCheck: { ...base, ...checkInput(write) } };
  }
}

/**
 * A write of one row that conflicts with a transaction under way has an error of its own, which the SDK does not retry.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
 */
function whatItMet(error: unknown): 'another state' | 'a transaction' | undefined {
  const name = error instanceof Error ? error.name : '';
  const reasons = cancellationReasons(error);
  if (name === 'ConditionalCheckFailedException' || reasons.includes('ConditionalCheckFailed')) return 'another state';
  if (name === 'TransactionConflictException' || reasons.includes('TransactionConflict')) return 'a transaction';
  return undefined;
}

/** Whether DynamoDB throttles, after the SDK's own retries. A hot partition is throttled too, in a table that pays per request. */
export function isPushedBack(error: unknown): boolean {
  const names = ['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded'];
  return error instanceof Error && names.includes(error.name);
}

function cancellationReasons(error: unknown): string[] {
  if (!(error instanceof Error) || error.name !== 'TransactionCanceledException') return [];
  const reasons = 'CancellationReasons' in error ? error.CancellationReasons : undefined;
  return Array.isArray(reasons) ? reasons.map((reason: { Code?: string }) => reason.Code ?? 'None') : [];
}

/** More losses in a row than a race explains. */
const MAX_ROUNDS = 8;
/** Spreads out the retries of callers that lost at the same time. */
const LOST_PAUSE_MS = 10;

/**
 * Reads and decides until the change is made, or there is none to make. `decide` reads its rows itself, in each round.
 * @returns the last decision: the change that was made, or `refused` with the reason
 */
export async function applyWithRetry<Decided extends Outcome>(
  table: Table,
  decide: () => Promise<Decided>,
): Promise<Decided> {
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const outcome = await decide();
    if ('refused' in outcome || (await apply(table, outcome.change)) === 'applied') return outcome;
    await new Promise((resolve) => setTimeout(resolve, LOST_PAUSE_MS * round * Math.random()));
  }
  throw new Error(`The rows changed under ${MAX_ROUNDS} attempts to change them.`);
}
