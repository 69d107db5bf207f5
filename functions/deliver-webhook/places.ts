import { randomInt } from 'node:crypto';
import { queryAll } from '../../aws/pages.ts';
import { apply, type Table } from '../../aws/table.ts';
import { webhookKeys } from '../../core/contracts/table/keys.ts';
import { PlaceRow } from '../../core/contracts/table/webhooks.ts';
import { isoOf } from '../../core/time.ts';

/** Longer than any attempt takes, so that the place of a function that was stopped half-way becomes free again. */
const HELD_MS = 15_000;

/** What is released after the attempt. */
export interface Place {
  place: number;
  until: string;
}

/**
 * Takes one of the `max` places for a creator's simultaneous delivery attempts, of which one endpoint takes half at most, so that a slow
 * receiver delays only itself. Null when none is free.
 */
export async function takePlace(
  table: Table,
  { creatorId, endpointId }: { creatorId: string; endpointId: string },
  max: number,
  now: number,
): Promise<Place | null> {
  const rows = await queryAll(table, PlaceRow, {
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': webhookKeys.place(creatorId, 0).pk },
    ConsistentRead: true,
  });
  const held = rows.filter((row) => Date.parse(row.until) > now);
  if (held.filter((row) => row.endpointId === endpointId).length >= Math.ceil(max / 2)) return null;
  const free = Array.from({ length: max }, (_, place) => place).filter((i) => !held.some(({ place }) => place === i));
  while (free.length > 0) {
    // A random free one, so that simultaneous deliveries do not all ask for the same.
    const [place = 0] = free.splice(randomInt(free.length), 1);
    const until = isoOf(now + HELD_MS);
    const expiresAt = Math.ceil((now + HELD_MS) / 1000);
    const set: PlaceRow = { type: 'place', place, endpointId, until, expiresAt };
    const expect = { until: rows.find((row) => row.place === place)?.until ?? null };
    const taken = await apply(table, [{ op: 'update', key: webhookKeys.place(creatorId, place), expect, set }]);
    if (taken === 'applied') return { place, until };
  }
  return null;
}

export async function givePlaceBack(table: Table, creatorId: string, { place, until }: Place): Promise<void> {
  await apply(table, [{ op: 'remove', key: webhookKeys.place(creatorId, place), expect: { until } }]);
}
