import { getRow, type Table } from '../../aws/table.ts';
import type { CollectionRow } from '../../core/contracts/table/collections.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import type { Failure } from '../../core/contracts/table/media.ts';
import { type Caps, monthOf, overCap, SpentRow, spentKey } from '../../core/jobs/spending.ts';

export interface CapServices {
  table: Table;
  /** USD that encodes of one creator may cost in a month; absent: any. */
  maxUsdPerMonth?: number | undefined;
}

/** Whether there is room for so much more in this month. */
export async function room(
  { table, maxUsdPerMonth }: CapServices,
  { creatorId, collectionId }: Pick<JobRow, 'creatorId' | 'collectionId'>,
  collection: CollectionRow | null,
  usd: number,
  now: string,
): Promise<{ caps: Caps; over: Failure | null }> {
  const caps: Caps = { creator: maxUsdPerMonth, collection: collection?.maxUsdPerMonth ?? undefined };
  const spent = async (of?: string) => (await getRow(table, spentKey(creatorId, monthOf(now), of), SpentRow))?.usd ?? 0;
  const [creator, ofCollection] = await Promise.all([
    caps.creator === undefined ? 0 : spent(),
    caps.collection === undefined ? 0 : spent(collectionId),
  ]);
  return { caps, over: overCap({ creator, collection: ofCollection }, usd, caps, now) };
}
