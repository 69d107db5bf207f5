/**
 * Indexes that lag behind their table, as global secondary indexes may:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.Writes. An index is read from a copy of its
 * table to which writes are applied after a delay. The copy is rebuilt at each boot.
 */
import { z } from 'zod';
import type { ServiceContext } from '../../kernel/account.ts';
import { isRecord, type Json } from '../../template/json.ts';
import { type Database, databaseOf } from './database.ts';
import { ensureTables } from './tables.ts';
import type { TableConfiguration } from './template.ts';
import { API, keyOf, writesOf } from './writes.ts';

const Items = z.array(z.record(z.string(), z.unknown()));
const Page = z.object({ Items: Items.default([]), LastEvaluatedKey: z.unknown().optional() });
const Got = z.object({ Item: Items.element.optional() });

export interface LaggingDatabase {
  /** The same database, except for reads of indexes. */
  database: Database;
  /** Resolves when no copy is running; pending writes are not copied. */
  stop(): Promise<void>;
}

/** @param lag milliseconds until the indexes have a write to the table */
export async function lagIndexes(
  { clock, log }: Pick<ServiceContext, 'clock' | 'log'>,
  database: Database,
  tables: readonly TableConfiguration[],
  lag: (table: string) => number,
): Promise<LaggingDatabase> {
  const indexed = new Map(
    tables.filter((it) => it.properties.GlobalSecondaryIndexes.length > 0).map((table) => [table.name, table]),
  );
  for (const table of indexed.values()) await copyTable(database, table);
  let stopped = false;
  let working = Promise.resolve();

  /** Sequential, so that an older copy of an item does not overwrite a newer one. */
  function copyLater(table: TableConfiguration, key: Json): void {
    clock.after(lag(table.name), () => {
      working = working
        .then(() => (stopped ? undefined : copyItem(database, table, key)))
        .catch((error) => {
          if (!stopped) log(`dynamodb: an index was not brought up to date: ${String(error)}`);
        });
    });
  }

  async function send(target: string, input: unknown) {
    const given: Json = isRecord(input) ? input : {};
    const isOfIndex = given.IndexName !== undefined && indexed.has(String(given.TableName));
    if (isOfIndex) return database.send(target, { ...given, TableName: copyOf(String(given.TableName)) });
    try {
      return await database.send(target, input);
    } finally {
      // Also for a write with an unknown outcome.
      for (const { name, item } of writesOf(target, given)) {
        const table = indexed.get(name);
        if (table) copyLater(table, keyOf(table, item));
      }
    }
  }

  return {
    database: databaseOf(send),
    async stop() {
      stopped = true;
      await working;
    },
  };
}

const copyOf = (table: string) => `${table}.indexes`;

async function copyTable(database: Database, table: TableConfiguration): Promise<void> {
  const name = copyOf(table.name);
  const { StreamSpecification: _stream, TimeToLiveSpecification: _ttl, ...properties } = table.properties;
  await ensureTables(database, [{ ...table, name, properties }]);
  for await (const item of itemsOf(database, name)) {
    await database.call(`${API}DeleteItem`, { TableName: name, Key: keyOf(table, item) });
  }
  for await (const Item of itemsOf(database, table.name))
    await database.call(`${API}PutItem`, { TableName: name, Item });
}

async function* itemsOf(database: Database, table: string): AsyncGenerator<Json> {
  let after: unknown;
  do {
    const page = Page.parse(
      await database.call(`${API}Scan`, { TableName: table, ...(after !== undefined && { ExclusiveStartKey: after }) }),
    );
    yield* page.Items;
    after = page.LastEvaluatedKey;
  } while (after !== undefined);
}

/** Copies the item's current state, which may be newer than the write that caused the copy. */
async function copyItem(database: Database, table: TableConfiguration, Key: Json): Promise<void> {
  const { Item } = Got.parse(
    await database.call(`${API}GetItem`, { TableName: table.name, Key, ConsistentRead: true }),
  );
  const TableName = copyOf(table.name);
  await (Item
    ? database.call(`${API}PutItem`, { TableName, Item })
    : database.call(`${API}DeleteItem`, { TableName, Key }));
}
