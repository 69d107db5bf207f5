import {
  type DynamoDBDocumentClient,
  GetCommand,
  QueryCommand,
  type QueryCommandInput,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import type { z } from 'zod';
import type { RowKey } from '../core/contracts/rows.ts';

/** Reading rows by key and in pages, and changing settings of one. Changes of state are in table.ts. */

export interface RowStore {
  client: DynamoDBDocumentClient;
  tableName: string;
}

/** A strongly consistent read; null when there is no such row. */
export async function getRow<T>(store: RowStore, key: RowKey, schema: z.ZodType<T>): Promise<T | null> {
  const { Item } = await store.client.send(
    new GetCommand({ TableName: store.tableName, Key: key, ConsistentRead: true }),
  );
  return Item ? schema.parse(Item) : null;
}

export type Query = Omit<QueryCommandInput, 'TableName'>;

/** One page as DynamoDB gives it: at most 1 MB read, before filters. */
export async function queryPage<T>(store: RowStore, query: Query, schema: z.ZodType<T>) {
  const { Items = [], LastEvaluatedKey } = await store.client.send(
    new QueryCommand({ TableName: store.tableName, ...query }),
  );
  return { rows: Items.map((item) => schema.parse(item)), last: LastEvaluatedKey };
}

/** Every row of a query, page after page. Only for queries that are bounded by what they are about. */
export async function* queryAll<T>(store: RowStore, query: Query, schema: z.ZodType<T>): AsyncGenerator<T> {
  let start: Record<string, unknown> | undefined;
  do {
    const { rows, last } = await queryPage(store, { ...query, ...(start && { ExclusiveStartKey: start }) }, schema);
    yield* rows;
    start = last;
  } while (start);
}

export interface RowChange {
  /** Undefined removes the attribute. */
  set: Record<string, unknown>;
  /** Values that the row must still have; undefined means that the attribute is absent. */
  expect: Record<string, unknown>;
}

/** Changes an existing row if it still is as expected. The row after it, or null when it is not. */
export async function changeRow<T>(
  store: RowStore,
  key: RowKey,
  change: RowChange,
  schema: z.ZodType<T>,
): Promise<T | null> {
  const names: Record<string, string> = { '#pk': 'pk' };
  const values: Record<string, unknown> = {};
  const sets: string[] = [];
  const removes: string[] = [];
  const conditions = ['attribute_exists(#pk)'];
  for (const [name, value] of Object.entries(change.set)) {
    names[`#s_${name}`] = name;
    if (value === undefined) removes.push(`#s_${name}`);
    else {
      values[`:s_${name}`] = value;
      sets.push(`#s_${name} = :s_${name}`);
    }
  }
  for (const [name, value] of Object.entries(change.expect)) {
    names[`#e_${name}`] = name;
    if (value === undefined) conditions.push(`attribute_not_exists(#e_${name})`);
    else {
      values[`:e_${name}`] = value;
      conditions.push(`#e_${name} = :e_${name}`);
    }
  }
  try {
    const { Attributes } = await store.client.send(
      new UpdateCommand({
        TableName: store.tableName,
        Key: key,
        UpdateExpression: [
          sets.length > 0 ? `SET ${sets.join(', ')}` : '',
          removes.length > 0 ? `REMOVE ${removes.join(', ')}` : '',
        ].join(' '),
        ConditionExpression: conditions.join(' AND '),
        ExpressionAttributeNames: names,
        ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
        ReturnValues: 'ALL_NEW',
      }),
    );
    return schema.parse(Attributes);
  } catch (error) {
    if (isConditionFailure(error)) return null;
    throw error;
  }
}

export function isConditionFailure(error: unknown): boolean {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException';
}

/** Whether a transaction was refused because a condition of it failed, and not for a conflict with another. */
export function isTransactionRefused(error: unknown): boolean {
  if (!(error instanceof Error) || error.name !== 'TransactionCanceledException') return false;
  const reasons = (error as Error & { CancellationReasons?: { Code?: string }[] }).CancellationReasons ?? [];
  return reasons.some(({ Code }) => Code === 'ConditionalCheckFailed');
}
