import type { EngineRow } from '../contracts/table/engines.ts';
import { plus } from '../time.ts';

/** Whether an engine takes jobs at all, by what became of the last submissions of any jobs. docs/decisions/0109-choice.md */

/** Failed submissions in a row from which on it is down. */
const FAILURES = 3;
const FIRST_PAUSE_MS = 60_000;
const LONGEST_PAUSE_MS = 15 * 60_000;
/** How long `auto` waits for an engine that is down before it chooses another. */
const PATIENCE_MINUTES = 30;

/** After a submission that failed, but not for the job's own sake. From the third in a row on there is a pause, doubled with each. */
export function failedAgain(row: EngineRow | null, why: string, now: string): EngineRow {
  const failures = (row?.failures ?? 0) + 1;
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** (failures - FAILURES), LONGEST_PAUSE_MS);
  return {
    ...{ type: 'engine', failures, failingSince: row?.failingSince ?? now, why },
    ...(failures >= FAILURES && { pausedUntil: plus(now, { ms: pause }) }),
  };
}

export function isDown(row: EngineRow | null): row is EngineRow {
  return row !== null && row.failures >= FAILURES;
}

/** Until when nothing is submitted to it; null when a job may try. */
export function pausedUntil(row: EngineRow | null, now: string): string | null {
  return isDown(row) && row.pausedUntil !== undefined && row.pausedUntil > now ? row.pausedUntil : null;
}

/** Whether `auto` passes it over. After each pause it does not: only a job that tries the engine shows that the outage is over. */
export function isPassedOver(row: EngineRow | null, now: string): boolean {
  return row !== null && pausedUntil(row, now) !== null && plus(row.failingSince, { minutes: PATIENCE_MINUTES }) <= now;
}
