import { BatchGetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { INDEXES, JobRow, MediaRow, type RowKey } from '../core/contracts/rows.ts';
import type { Table } from './table.ts';

export interface Page<Item> {
  items: Item[];
  /** Where the next page begins: hand it back as `after`. Absent on the last page. */
  next?: Record<string, unknown>;
}

const TodoItem = z.object({ pk: z.string(), sk: z.string(), todo: z.string(), todoAt: z.string() });
export type TodoItem = z.infer<typeof TodoItem>;

/** Rows with that `todo` that are due by `until`, the longest due first. From a secondary index: a moment behind the table. */
export async function queryTodo(
  table: Table,
  todo: string,
  options: { until: string; limit: number; after?: Record<string, unknown> | undefined },
): Promise<Page<TodoItem>> {
  return query(table, TodoItem, {
    IndexName: INDEXES.todo.name,
    KeyConditionExpression: '#todo = :todo AND #todoAt <= :until',
    ExpressionAttributeNames: { '#todo': INDEXES.todo.pk, '#todoAt': INDEXES.todo.sk },
    ExpressionAttributeValues: { ':todo': todo, ':until': options.until },
    Limit: options.limit,
    ExclusiveStartKey: options.after,
  });
}

/** How many rows have that `todo`, due or not; stops counting at about `enough`. */
export async function countTodo(table: Table, todo: string, enough: number): Promise<number> {
  let count = 0;
  let after: Record<string, unknown> | undefined;
  do {
    const answer = await table.client.send(
      new QueryCommand({
        TableName: table.name,
        IndexName: INDEXES.todo.name,
        KeyConditionExpression: '#todo = :todo',
        ExpressionAttributeNames: { '#todo': INDEXES.todo.pk },
        ExpressionAttributeValues: { ':todo': todo },
        Select: 'COUNT',
        ExclusiveStartKey: after,
      }),
    );
    count += answer.Count ?? 0;
    after = answer.LastEvaluatedKey;
  } while (after && count < enough);
  return count;
}

/** Media of a creator or of a collection by the time they were made; `newestFirst` turns it round. */
export async function queryMedia(
  table: Table,
  by: { creatorId: string; collectionId?: string | undefined },
  options: {
    limit: number;
    newestFirst?: boolean;
    from?: string | undefined;
    to?: string | undefined;
    after?: Record<string, unknown> | undefined;
  },
): Promise<Page<MediaRow>> {
  const index = by.collectionId === undefined ? INDEXES.byCreator : INDEXES.byCollection;
  const value = by.collectionId === undefined ? by.creatorId : `${by.creatorId}#${by.collectionId}`;
  return query(table, MediaRow, {
    IndexName: index.name,
    KeyConditionExpression: '#pk = :pk AND #sk BETWEEN :from AND :to',
    FilterExpression: '#type = :media',
    ExpressionAttributeNames: { '#pk': index.pk, '#sk': index.sk, '#type': 'type' },
    ExpressionAttributeValues: {
      ':pk': value,
      ':from': options.from ?? '0',
      ':to': options.to ?? '9999',
      ':media': 'media',
    },
    Limit: options.limit,
    ScanIndexForward: options.newestFirst !== true,
    ExclusiveStartKey: options.after,
  });
}

/** The jobs of a media, the newest first. */
export async function queryJobs(table: Table, mediaId: string, limit: number): Promise<JobRow[]> {
  const page = await query(table, JobRow, {
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :job)',
    ExpressionAttributeValues: { ':pk': `MEDIA#${mediaId}`, ':job': 'JOB#' },
    ScanIndexForward: false,
    Limit: limit,
    ConsistentRead: true,
  });
  return page.items;
}

/** The keys of every row under a partition key. */
export async function queryKeys(table: Table, pk: string): Promise<RowKey[]> {
  const keys: RowKey[] = [];
  let after: Record<string, unknown> | undefined;
  do {
    const page: Page<RowKey> = await query(table, z.object({ pk: z.string(), sk: z.string() }), {
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
      ConsistentRead: true,
      ExclusiveStartKey: after,
    });
    keys.push(...page.items);
    after = page.next;
  } while (after);
  return keys;
}

async function query<Schema extends z.ZodType>(
  table: Table,
  schema: Schema,
  input: Omit<NonNullable<ConstructorParameters<typeof QueryCommand>[0]>, 'TableName'>,
): Promise<Page<z.infer<Schema>>> {
  const answer = await table.client.send(new QueryCommand({ TableName: table.name, ...input }));
  const items = (answer.Items ?? []).map((item) => schema.parse(item));
  return { items, ...(answer.LastEvaluatedKey && { next: answer.LastEvaluatedKey }) };
}

/** DynamoDB's limit of one BatchGetItem. */
const BATCH_GET = 100;

/** The rows that are there, of many keys, in no order. Not a consistent read unless asked for. */
export async function getRows<Schema extends z.ZodType>(
  table: Table,
  keys: readonly RowKey[],
  schema: Schema,
  consistent = false,
): Promise<z.infer<Schema>[]> {
  const rows: z.infer<Schema>[] = [];
  let waiting = [...keys];
  while (waiting.length > 0) {
    const asked = waiting.splice(0, BATCH_GET);
    const request = { Keys: asked.map(({ pk, sk }) => ({ pk, sk })), ConsistentRead: consistent };
    const answer = await table.client.send(new BatchGetCommand({ RequestItems: { [table.name]: request } }));
    rows.push(...(answer.Responses?.[table.name] ?? []).map((item) => schema.parse(item)));
    const unprocessed = answer.UnprocessedKeys?.[table.name]?.Keys ?? [];
    waiting = [...waiting, ...unprocessed.map(({ pk, sk }) => ({ pk: String(pk), sk: String(sk) }))];
  }
  return rows;
}
