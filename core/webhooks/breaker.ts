import type { BreakerRow } from '../contracts/table/webhooks.ts';
import { epochSeconds, isoOf } from '../time.ts';

/** Failed attempts in a row, of any deliveries, after which an endpoint is paused. */
const FAILURES = 5;
const FIRST_PAUSE_MS = 30_000;
const MAX_PAUSE_MS = 15 * 60_000;
/** Longer than any attempt: until then the process that reserved the one attempt may be running; after that it has stopped. */
const TRY_MS = 15_000;
const KEPT_DAYS = 4;

/**
 * Closed: any delivery may be attempted. Otherwise one at a time, and not before the pause is over: `waitUntil`, or `probe`, the row
 * that reserves the one attempt, to be written on the condition that the row is as it was read.
 */
export function askBreaker(
  row: BreakerRow | null,
  now: number,
): 'closed' | { waitUntil: number } | { probe: BreakerRow } {
  if (!row || row.failures < FAILURES) return 'closed';
  const notBefore = row.notBefore === undefined ? now : Date.parse(row.notBefore);
  return notBefore > now ? { waitUntil: notBefore } : { probe: { ...row, notBefore: isoOf(now + TRY_MS) } };
}

/** After a failed attempt that ended at `now`: 30 s from the fifth on, doubled with each, at most 15 minutes. */
export function failedAgain(row: BreakerRow | null, now: number): BreakerRow {
  const failures = (row?.failures ?? 0) + 1;
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** (failures - FAILURES), MAX_PAUSE_MS);
  const expiresAt = epochSeconds(isoOf(now), { days: KEPT_DAYS });
  return { type: 'breaker', failures, ...(failures >= FAILURES && { notBefore: isoOf(now + pause) }), expiresAt };
}
