import { queryAll } from '../../aws/pages.ts';
import type { Table } from '../../aws/table.ts';
import { within } from '../../aws/table-expressions.ts';
import { CollectionRow } from '../../core/contracts/table/collections.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';

/** The creator's collections that have this preset now, by id; without one, all. */
export async function collectionsWith(table: Table, creatorId: string, preset?: string): Promise<CollectionRow[]> {
  const rows = await queryAll(table, CollectionRow, {
    ...within(rowKeys.collections(creatorId)),
    ConsistentRead: true,
  });
  return preset === undefined ? rows : rows.filter((row) => row.preset === preset);
}
