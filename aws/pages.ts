import { QueryCommand, type QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import type { z } from 'zod';
import type { Table } from './table.ts';
import type { Page } from './table-queries.ts';

export type Query = Omit<QueryCommandInput, 'TableName'>;

/** One page of a query as DynamoDB returns it: at most 1 MB read, before filters. */
export async function queryPage<Schema extends z.ZodType>(
  table: Table,
  schema: Schema,
  input: Query,
): Promise<Page<z.infer<Schema>>> {
  const { Items = [], LastEvaluatedKey } = await table.client.send(
    new QueryCommand({ TableName: table.name, ...input }),
  );
  return { items: Items.map((item) => schema.parse(item)), ...(LastEvaluatedKey && { next: LastEvaluatedKey }) };
}

/** Every row of a query, page after page. Only for sets of limited size, such as a creator's endpoints. */
export async function queryAll<Schema extends z.ZodType>(
  table: Table,
  schema: Schema,
  input: Query,
): Promise<z.infer<Schema>[]> {
  const rows: z.infer<Schema>[] = [];
  let page: Page<z.infer<Schema>> = { items: [] };
  do {
    page = await queryPage(table, schema, { ...input, ...(page.next && { ExclusiveStartKey: page.next }) });
    rows.push(...page.items);
  } while (page.next);
  return rows;
}
