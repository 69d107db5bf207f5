import { BatchGetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { JobRow } from '../core/contracts/table/jobs.ts';
import { collectionOf, INDEXES, type RowKey, rowKeys } from '../core/contracts/table/keys.ts';
import { MediaRow } from '../core/contracts/table/media.ts';
import { backOff, type Table } from './table.ts';
import { within } from './table-expressions.ts';

export interface Page<Item> {
  items: Item[];
  /** Where the next page begins: pass it as `after`. Absent on the last page. */
  next?: Record<string, unknown>;
}

const TodoItem = z.object({ pk: z.string(), sk: z.string(), todo: z.string(), todoAt: z.string() });
export type TodoItem = z.infer<typeof TodoItem>;

/** Rows with that `todo` that are due from `from` to `until`, longest due first. The secondary index lags the table slightly. */
export async function queryTodo(
  table: Table,
  todo: string,
  options: { from?: string; until: string; limit: number; after?: Record<string, unknown> | undefined },
): Promise<Page<TodoItem>> {
  return query(table, TodoItem, {
    IndexName: INDEXES.todo.name,
    KeyConditionExpression: '#todo = :todo AND #todoAt BETWEEN :from AND :until',
    ExpressionAttributeNames: { '#todo': INDEXES.todo.pk, '#todoAt': INDEXES.todo.sk },
    ExpressionAttributeValues: { ':todo': todo, ':from': options.from ?? '0', ':until': options.until },
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

/** An entry of an index of media. */
const MediaKey = z.object({ pk: z.string(), sk: z.string(), createdAt: z.string() });
export type MediaKey = z.infer<typeof MediaKey>;

export interface MediaOf {
  creatorId: string;
  collectionId?: string | undefined;
}

interface MediaRange {
  limit: number;
  newestFirst?: boolean;
  from?: string | undefined;
  to?: string | undefined;
  after?: Record<string, unknown> | undefined;
}

/**
 * Media of a creator or of a collection by creation time; `newestFirst` reverses the order. Rows are in their present state: a row
 * that was removed or moved since the index was written is left out. A page may therefore have fewer rows than its limit, although
 * others follow.
 * @param options `consistent`: the rows are read after all writes before it; the index still lags
 */
export async function queryMedia(
  table: Table,
  by: MediaOf,
  options: MediaRange & { consistent?: boolean },
): Promise<Page<MediaRow>> {
  const { items: keys, ...page } = await queryMediaKeys(table, by, options);
  const rows = await getRows(table, keys, MediaRow, options.consistent);
  const byKey = new Map(rows.map((row) => [rowKeys.media(row.mediaId).pk, row]));
  const { index, value } = mediaIndex(by);
  const items = keys.flatMap(({ pk }) => byKey.get(pk) ?? []).filter((row) => row[index.pk] === value);
  return { items, ...page };
}

/** The keys of these rows, from the index: it lags the table slightly. */
export async function queryMediaKeys(table: Table, by: MediaOf, options: MediaRange): Promise<Page<MediaKey>> {
  const { index, value } = mediaIndex(by);
  const page = await query(table, MediaKey, {
    IndexName: index.name,
    KeyConditionExpression: '#pk = :pk AND #sk BETWEEN :from AND :to',
    ExpressionAttributeNames: { '#pk': index.pk, '#sk': index.sk },
    ExpressionAttributeValues: { ':pk': value, ':from': options.from ?? '0', ':to': options.to ?? '9999' },
    Limit: options.limit,
    ScanIndexForward: options.newestFirst !== true,
    ExclusiveStartKey: options.after,
  });
  return { ...page, items: page.items.filter(({ sk }) => sk === rowKeys.media('').sk) };
}

/** Where an entry stands in its index, for `after`. */
export function positionOf({ pk, sk, createdAt }: MediaKey, by: MediaOf): Record<string, unknown> {
  const { index, value } = mediaIndex(by);
  return { pk, sk, createdAt, [index.pk]: value };
}

function mediaIndex({ creatorId, collectionId }: MediaOf) {
  return collectionId === undefined
    ? { index: INDEXES.byCreator, value: creatorId }
    : { index: INDEXES.byCollection, value: collectionOf(creatorId, collectionId) };
}

/** The jobs of a media item, the newest first. */
export async function queryJobs(table: Table, mediaId: string, limit: number): Promise<JobRow[]> {
  const page = await query(table, JobRow, {
    ...within(rowKeys.jobs(mediaId)),
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
  const items = readable(table, schema, answer.Items);
  return { items, ...(answer.LastEvaluatedKey && { next: answer.LastEvaluatedKey }) };
}

/** DynamoDB's limit of one BatchGetItem. */
const BATCH_GET = 100;

/**
 * Those of many keys' rows that exist, in no order. Not a consistent read unless requested. Rows that DynamoDB left out because of
 * throttling are read after a pause, as https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html says.
 */
export async function getRows<Schema extends z.ZodType>(
  table: Table,
  keys: readonly RowKey[],
  schema: Schema,
  consistent = false,
): Promise<z.infer<Schema>[]> {
  const rows: z.infer<Schema>[] = [];
  let waiting = [...keys];
  for (let short = 0; waiting.length > 0; ) {
    if (short > 0) await backOff(short);
    const asked = waiting.splice(0, BATCH_GET);
    const request = { Keys: asked.map(({ pk, sk }) => ({ pk, sk })), ConsistentRead: consistent };
    const answer = await table.client.send(new BatchGetCommand({ RequestItems: { [table.name]: request } }));
    rows.push(...readable(table, schema, answer.Responses?.[table.name]));
    const unprocessed = answer.UnprocessedKeys?.[table.name]?.Keys ?? [];
    short = unprocessed.length > 0 ? short + 1 : 0;
    waiting = [...waiting, ...unprocessed.map(({ pk, sk }) => ({ pk: String(pk), sk: String(sk) }))];
  }
  return rows;
}

function readable<Schema extends z.ZodType>(
  table: Table,
  schema: Schema,
  items: readonly Record<string, unknown>[] = [],
): z.infer<Schema>[] {
  return items.flatMap((item) => {
    const parsed = schema.safeParse(item);
    if (parsed.success) return [parsed.data];
    table.onUnreadable?.({ pk: String(item.pk), sk: String(item.sk) }, parsed.error);
    return [];
  });
}
