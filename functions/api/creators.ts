import { z } from 'zod';
import { queryAll } from '../../aws/pages.ts';
import type { Table } from '../../aws/table.ts';
import { apiKeys } from '../../core/contracts/table/keys.ts';

/** The ids of all creators that ever had a media item, in their order. @param from that one and those after it */
export async function creatorsKnown(table: Table, from?: string): Promise<string[]> {
  const known = await queryAll(table, z.object({ sk: z.string() }), {
    KeyConditionExpression: from === undefined ? 'pk = :pk' : 'pk = :pk AND sk >= :from',
    ExpressionAttributeValues: { ':pk': apiKeys.counts('').pk, ...(from !== undefined && { ':from': from }) },
    ProjectionExpression: 'sk',
  });
  return known.map(({ sk }) => sk);
}
