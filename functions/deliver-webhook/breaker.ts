import { apply, getRow, type Table } from '../../aws/table.ts';
import { webhookKeys } from '../../core/contracts/table/keys.ts';
import { BreakerRow } from '../../core/contracts/table/webhooks.ts';
import { askBreaker, failedAgain } from '../../core/webhooks/breaker.ts';

/** Whether an endpoint may be connected to now, or not before a time (milliseconds since the epoch). */
export type Admission = { row: BreakerRow | null } | { waitUntil: number };

/** Whether the endpoint's consecutive failures permit an attempt now. */
export async function admit(table: Table, endpointId: string, now: number): Promise<Admission> {
  const key = webhookKeys.breaker(endpointId);
  const row = await getRow(table, key, BreakerRow);
  const answer = askBreaker(row, now);
  if (answer === 'closed') return { row };
  if ('waitUntil' in answer) return answer;
  const expect = { failures: row?.failures ?? null, notBefore: row?.notBefore ?? null };
  const taken = await apply(table, [{ op: 'update', key, expect, set: answer.probe }]);
  return taken === 'applied' ? { row: answer.probe } : { waitUntil: Date.parse(answer.probe.notBefore ?? '') };
}

/** Records how an attempt ended. Of two that end at once only one may be counted: the next failure makes up for it. */
export async function note(
  table: Table,
  endpointId: string,
  known: BreakerRow | null,
  outcome: { delivered: boolean; endedAt: number },
): Promise<void> {
  const key = webhookKeys.breaker(endpointId);
  if (!outcome.delivered) {
    const set = failedAgain(known, outcome.endedAt);
    await apply(table, [{ op: 'update', key, expect: {}, set }]);
  } else if (known) {
    await apply(table, [{ op: 'remove', key, expect: {} }]);
  }
}
