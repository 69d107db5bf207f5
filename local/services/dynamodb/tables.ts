import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { AwsError } from '../../kernel/service.ts';
import type { Database } from './database.ts';
import type { Index, TableConfiguration } from './template.ts';

const Described = z.object({
  Table: z.object({
    KeySchema: z.array(z.object({ AttributeName: z.string(), KeyType: z.string() })),
    GlobalSecondaryIndexes: z
      .array(
        z.object({
          IndexName: z.string(),
          KeySchema: z.array(z.object({ AttributeName: z.string(), KeyType: z.string() })),
          Projection: z.object({ ProjectionType: z.string(), NonKeyAttributes: z.array(z.string()).optional() }),
        }),
      )
      .default([]),
    StreamSpecification: z.object({ StreamEnabled: z.boolean(), StreamViewType: z.string().optional() }).optional(),
    LatestStreamArn: z.string().optional(),
  }),
});
type Description = z.infer<typeof Described>['Table'];

/**
 * Brings the tables to the template's state: creates missing ones, adds and removes indexes and streams. Returns
 * the database's own ARN of each table's stream, by table name.
 * @throws Error when a table has other keys than in the template
 */
export async function ensureTables(
  database: Database,
  tables: readonly TableConfiguration[],
): Promise<ReadonlyMap<string, string>> {
  const streams = new Map<string, string>();
  for (const table of tables) {
    const description = (await describe(database, table.name)) ?? (await create(database, table));
    await update(database, table, description);
    const { LatestStreamArn: stream } = (await describe(database, table.name)) ?? {};
    if (stream !== undefined && table.properties.StreamSpecification) streams.set(table.name, stream);
  }
  return streams;
}

async function describe(database: Database, name: string): Promise<Description | undefined> {
  try {
    return Described.parse(await database.call('DynamoDB_20120810.DescribeTable', { TableName: name })).Table;
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}

async function create(database: Database, { name, properties }: TableConfiguration): Promise<Description> {
  const {
    GlobalSecondaryIndexes: indexes,
    StreamSpecification: stream,
    ProvisionedThroughput: throughput,
  } = properties;
  await database.call('DynamoDB_20120810.CreateTable', {
    TableName: name,
    AttributeDefinitions: properties.AttributeDefinitions,
    KeySchema: properties.KeySchema,
    BillingMode: properties.BillingMode,
    ...(throughput && { ProvisionedThroughput: throughput }),
    ...(indexes.length > 0 && { GlobalSecondaryIndexes: indexes.map(indexInput) }),
    ...(stream && { StreamSpecification: { StreamEnabled: true, ...stream } }),
  });
  const description = await describe(database, name);
  if (!description) throw new Error(`the table ${name} was created and is not there`);
  return description;
}

async function update(database: Database, table: TableConfiguration, now: Description): Promise<void> {
  const { name, properties } = table;
  const { StreamSpecification: stream, TimeToLiveSpecification: ttl } = properties;
  if (!isDeepStrictEqual(now.KeySchema, properties.KeySchema)) {
    const keys = now.KeySchema.map((key) => key.AttributeName).join(', ');
    throw new Error(`the table ${name} has the keys ${keys}, which cannot be changed: remove the state directory`);
  }
  const updateTable = (input: object) => database.call('DynamoDB_20120810.UpdateTable', { TableName: name, ...input });
  const wanted = properties.GlobalSecondaryIndexes;
  const isCurrent = (index: Index) =>
    now.GlobalSecondaryIndexes.some(
      (it) =>
        it.IndexName === index.IndexName &&
        isDeepStrictEqual(it.KeySchema, index.KeySchema) &&
        isDeepStrictEqual(it.Projection, index.Projection),
    );
  // DynamoDB accepts one index change at a time; a changed index is recreated.
  for (const { IndexName } of now.GlobalSecondaryIndexes) {
    const kept = wanted.some((index) => index.IndexName === IndexName && isCurrent(index));
    if (!kept) await updateTable({ GlobalSecondaryIndexUpdates: [{ Delete: { IndexName } }] });
  }
  for (const index of wanted.filter((it) => !isCurrent(it))) {
    await updateTable({
      AttributeDefinitions: properties.AttributeDefinitions,
      GlobalSecondaryIndexUpdates: [{ Create: indexInput(index) }],
    });
  }
  const present = now.StreamSpecification?.StreamEnabled ? now.StreamSpecification.StreamViewType : undefined;
  if (present !== stream?.StreamViewType) {
    if (present) await updateTable({ StreamSpecification: { StreamEnabled: false } });
    if (stream) await updateTable({ StreamSpecification: { StreamEnabled: true, ...stream } });
  }
  if (ttl) {
    const input = { TableName: name, TimeToLiveSpecification: ttl };
    await database.call('DynamoDB_20120810.UpdateTimeToLive', input).catch((error) => {
      // AWS's databases refuse to set a value that is already set.
      if (!(error instanceof AwsError && error.code === 'ValidationException')) throw error;
    });
  }
}

function indexInput({ IndexName, KeySchema, Projection, ProvisionedThroughput }: Index) {
  return { IndexName, KeySchema, Projection, ...(ProvisionedThroughput && { ProvisionedThroughput }) };
}
