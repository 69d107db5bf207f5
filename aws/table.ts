import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DeleteCommand, GetCommand, PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { z } from 'zod';
import { CollectionRow, JobRow, MediaRow, type RowKey, rowKeys } from '../core/contracts/rows.ts';
import type { Change, Outcome } from '../core/jobs/change.ts';
import { checkInput, type Input, putInput, removeInput, updateInput } from './table-expressions.ts';

export interface Table {
  client: DynamoDBDocumentClient;
  name: string;
}

/** The row as it is now (a consistent read), or null. Throws a ZodError for a row that is not of that schema. */
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
 * Makes a change whole, or not at all. `lost` when a row is not as the change expects: somebody was faster, or this very
 * change was made before and its answer lost. The caller reads again and decides anew.
 */
export async function apply(table: Table, change: Change): Promise<'applied' | 'lost'> {
  const [only] = change;
  if (only && change.length === 1) {
    const base = { TableName: table.name };
    if (only.op === 'put') return held(table.client.send(new PutCommand({ ...base, ...putInput(only) })));
    if (only.op === 'update') return held(table.client.send(new UpdateCommand({ ...base, ...updateInput(only) })));
    if (only.op === 'remove') return held(table.client.send(new DeleteCommand({ ...base, ...removeInput(only) })));
  }
  return transact(table, change);
}

/** How often a transaction that met another one is tried again, and the pause before it, in milliseconds, doubled each time. */
const CONFLICT_TRIES = 6;
const CONFLICT_PAUSE_MS = 25;

async function transact(table: Table, change: Change): Promise<'applied' | 'lost'> {
  const TransactItems = change.map((write) => transactItem(table.name, write));
  for (let tries = 1; ; tries++) {
    try {
      await table.client.send(new TransactWriteCommand({ TransactItems }));
      return 'applied';
    } catch (error) {
      const reasons = cancellationReasons(error);
      if (reasons.includes('ConditionalCheckFailed')) return 'lost';
      if (!reasons.includes('TransactionConflict') || tries === CONFLICT_TRIES) throw error;
      const pause = CONFLICT_PAUSE_MS * 2 ** tries * Math.random();
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

function transactItem(TableName: string, write: Change[number]) {
  const base = { TableName };
  switch (write.op) {
    case 'put':
      return { Put: { ...base, ...putInput(write) } };
    case 'update':
      return { Update: { ...base, ...(updateInput(write) satisfies Input) } };
    case 'remove':
      return { Delete: { ...base, ...removeInput(write) } };
    case 'check':
      return { ConditionCheck: { ...base, ...checkInput(write) } };
  }
}

async function held(sent: Promise<unknown>): Promise<'applied' | 'lost'> {
  try {
    await sent;
    return 'applied';
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return 'lost';
    throw error;
  }
}

function cancellationReasons(error: unknown): string[] {
  if (!(error instanceof Error) || error.name !== 'TransactionCanceledException') return [];
  const reasons = 'CancellationReasons' in error ? error.CancellationReasons : undefined;
  return Array.isArray(reasons) ? reasons.map((reason: { Code?: string }) => reason.Code ?? 'None') : [];
}

/** More losses in a row than any race explains. */
const MAX_ROUNDS = 8;
/** Lets those that lost together come back apart. */
const LOST_PAUSE_MS = 10;

/**
 * Reads and decides until the change holds, or there is none to make. `decide` reads its rows itself, on each round.
 * Returns what the last decision said, `none` with its reason for no change.
 */
export async function settle<Decided extends Outcome>(table: Table, decide: () => Promise<Decided>): Promise<Decided> {
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const outcome = await decide();
    if ('none' in outcome || (await apply(table, outcome.change)) === 'applied') return outcome;
    await new Promise((resolve) => setTimeout(resolve, LOST_PAUSE_MS * round * Math.random()));
  }
  throw new Error(`The rows changed under ${MAX_ROUNDS} attempts to change them.`);
}
