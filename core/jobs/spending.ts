import { z } from 'zod';
import type { JobRow } from '../contracts/table/jobs.ts';
import { PARTITIONS, type RowKey } from '../contracts/table/keys.ts';
import type { Failure } from '../contracts/table/media.ts';
import { epochSeconds } from '../time.ts';
import type { Add } from './change.ts';

/**
 * What encodes of one creator, and of one of its collections, cost in a month (UTC): the cost of those that have ended, and the estimate of
 * those under way. A job counts in the month in which it was submitted. docs/decisions/0206-caps.md
 */

/** USD a month. */
export interface Caps {
  creator?: number | undefined;
  collection?: number | undefined;
}

export const SpentRow = z.object({ usd: z.number() });

/** Keeps a row until long after the last job of its month has ended. */
const KEPT_DAYS = 400;

/** @param collectionId absent: of all its collections */
export function spentKey(creatorId: string, month: string, collectionId?: string): RowKey {
  const of = collectionId === undefined ? '' : `#${collectionId}`;
  return { pk: `${PARTITIONS.creator}${creatorId}`, sk: `SPENT#${month}${of}` };
}

export function monthOf(now: string): string {
  return now.slice(0, 7);
}

/** Why there is no room for so much more; null when there is. */
export function overCap(
  spent: { creator: number; collection: number },
  usd: number,
  caps: Caps,
  now: string,
): Failure | null {
  const over = (['collection', 'creator'] as const).find(
    (whose) => caps[whose] !== undefined && micro(spent[whose] + usd) > caps[whose],
  );
  if (!over) return null;
  const money = (amount: number) => amount.toFixed(amount > 0 && amount < 0.01 ? 6 : 2);
  const message = `Of the month's ${money(caps[over] ?? 0)} USD of the ${over}, ${money(spent[over])} are used or expected, and this encode may add ${money(usd)}. It starts in another month, or when the cap is raised.`;
  return { code: 'cap_reached', message, at: now };
}

type Charged = NonNullable<JobRow['charged']>;
/** An encode: a job, or one of the archive. */
type Chargeable = Pick<JobRow, 'creatorId' | 'collectionId' | 'charged'>;

/** For how much a job needs room in this month, if it may cost so much: for what it is not charged with yet. Null: for nothing. */
export function addedBy({ charged }: Pick<JobRow, 'charged'>, usd: number, now: string): number | null {
  if (!charged) return usd;
  const more = micro(usd - charged.usd);
  return more > 0 && charged.month === monthOf(now) ? more : null;
}

/**
 * Charges a job with its estimate under each cap, on the condition that there is room; null without caps. One that was charged before, and
 * moves to another engine, stays in its month and under its caps, and needs room for the difference.
 */
export function charge(
  job: Chargeable,
  usd: number,
  caps: Caps,
  now: string,
): { charged: Charged; adds: Add[] } | null {
  const { charged: before } = job;
  if (before) {
    const charged = { ...before, usd: micro(usd) };
    const under = addedBy(job, usd, now) === null ? {} : caps;
    return { charged, adds: adding(job, charged, micro(charged.usd - before.usd), under) };
  }
  const under = (['creator', 'collection'] as const).filter((whose) => caps[whose] !== undefined);
  if (under.length === 0) return null;
  const charged = { usd: micro(usd), month: monthOf(now), under };
  return { charged, adds: adding(job, charged, charged.usd, caps) };
}

/** Replaces what an ended job is charged with by its cost; nothing where that is not known. Null where it is not charged. */
export function settle(job: Chargeable, cost: JobRow['cost']): { charged: Charged; adds: Add[] } | null {
  const { charged: before } = job;
  if (!before) return null;
  const charged = { ...before, usd: micro(cost?.usd ?? 0) };
  return { charged, adds: adding(job, charged, micro(charged.usd - before.usd), {}) };
}

function adding({ creatorId, collectionId }: Chargeable, { month, under }: Charged, usd: number, caps: Caps): Add[] {
  if (usd === 0) return [];
  const expiresAt = epochSeconds(`${month}-01T00:00:00.000Z`, { days: KEPT_DAYS });
  return under.map((whose) => {
    const cap = caps[whose];
    return {
      op: 'add',
      key: spentKey(creatorId, month, whose === 'collection' ? collectionId : undefined),
      amounts: { usd },
      max: cap === undefined ? {} : { usd: cap },
      set: { type: 'spent', expiresAt },
    };
  });
}

/** To millionths, so that sums of decimal fractions stay exact. */
function micro(usd: number): number {
  return Number(usd.toFixed(6));
}
