import { apply, getRow, type Table } from '../../aws/table.ts';
import { EngineRow } from '../../core/contracts/table/engines.ts';
import { engineKeys } from '../../core/contracts/table/keys.ts';
import { failedAgain } from '../../core/jobs/outage.ts';
import { EngineRefused, NotAsked } from '../../engines/engine.ts';

/** Notes a failed submission to an engine's service, unless it was not called, or refuses the job itself. Of two at once, one is noted. */
export async function noteFailure(table: Table, engine: string, error: unknown): Promise<void> {
  if (error instanceof NotAsked || (error instanceof EngineRefused && error.forGood)) return;
  const key = engineKeys.engine(engine);
  const before = await getRow(table, key, EngineRow);
  const why = error instanceof Error ? error.message : String(error);
  const set = failedAgain(before, why, new Date().toISOString());
  await apply(table, [{ op: 'update', key, expect: { failures: before?.failures ?? null }, set }]);
}

/** The engine takes jobs. */
export async function noteSuccess(table: Table, engine: string): Promise<void> {
  const key = engineKeys.engine(engine);
  if (await getRow(table, key, EngineRow)) await apply(table, [{ op: 'remove', key, expect: {} }]);
}
