import { apply, getRow } from '../../aws/table.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { LeaseRow } from '../../core/contracts/table/sweep.ts';
import { SWEEP_RUN_SECONDS } from '../../core/contracts/timing.ts';
import { plus } from '../../core/time.ts';
import type { RowServices } from './services.ts';

/**
 * For work that two runs must not do at the same time. Runs may overlap: Lambda may run the function twice for one event, or late.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
 */
export async function withLease(
  { table, now }: Pick<RowServices, 'table' | 'now'>,
  name: 'retranscodes' | 'deletions' | 'archive',
  work: () => Promise<void>,
): Promise<void> {
  const key = rowKeys.lease(name);
  const other = await getRow(table, key, LeaseRow);
  if (other && other.until > now) return;
  const lease: LeaseRow = { type: 'turn', until: plus(now, { ms: SWEEP_RUN_SECONDS * 1000 }) };
  const expect = { until: other?.until ?? null };
  if ((await apply(table, [{ op: 'update', key, expect, set: lease }])) === 'lost') return;
  try {
    await work();
  } finally {
    await apply(table, [{ op: 'remove', key, expect: { until: lease.until } }]);
  }
}
