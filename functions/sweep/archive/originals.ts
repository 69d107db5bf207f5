import { queryTodo } from '../../../aws/table-queries.ts';
import { DUE_WORK } from '../../../core/contracts/table/keys.ts';
import { SWEEP_MINUTES } from '../../../core/contracts/timing.ts';
import { eachDue } from '../due.ts';
import { withLease } from '../lease.ts';
import type { SweepServices } from '../services.ts';
import { moveToClass } from './classes.ts';
import { lookAtPolicy } from './policies.ts';
import { purgeOriginal, removeCopy } from './purge.ts';
import { lookAtRestore } from './restores.ts';
import { lookAtJob } from './under-way.ts';

const EVERY_MS = SWEEP_MINUTES * 60_000;

const KINDS = [
  [DUE_WORK.archiveJob, lookAtJob],
  [DUE_WORK.archivePurge, purgeOriginal],
  [DUE_WORK.archiveRemove, removeCopy],
  [DUE_WORK.archiveMove, moveToClass],
  [DUE_WORK.archiveRestore, lookAtRestore],
  [DUE_WORK.archivePolicy, lookAtPolicy],
] as const;

/**
 * The archive of originals: what workers have made takes the place of originals whose day has not come, the others are deleted, and collections
 * whose window is open get more of them made. One run at a time. A row that fails does not hold up those of another kind.
 */
export async function archiveOriginals(services: SweepServices): Promise<void> {
  const due = await Promise.all(
    KINDS.map(([todo]) => queryTodo(services.table, todo, { until: services.now, limit: 1 })),
  );
  const kinds = KINDS.filter((_, i) => (due[i]?.items.length ?? 0) > 0);
  if (kinds.length === 0) return;
  // They take turns to be first: one that uses up each run does not keep the others from theirs.
  const first = Math.floor(Date.parse(services.now) / EVERY_MS) % kinds.length;
  await withLease(services, 'archive', async () => {
    let failure: { error: unknown } | undefined;
    for (const [todo, work] of [...kinds.slice(first), ...kinds.slice(0, first)]) {
      await eachDue(services, todo, (key) => work(services, key)).catch((error: unknown) => {
        failure ??= { error };
      });
    }
    if (failure) throw failure.error;
  });
}
