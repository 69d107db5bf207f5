/** How many media items of a flagged collection sweep flags in a second. */
import { eachLimit } from '../aws/concurrency.ts';
import { apply } from '../aws/table.ts';
import { countTodo } from '../aws/table-queries.ts';
import { mediaIdFor } from '../core/contracts/ids.ts';
import { DUE_WORK, rowKeys } from '../core/contracts/table/keys.ts';
import { newCollection } from '../core/jobs/transitions.ts';
import { expandCollections } from '../functions/sweep/collections.ts';
import { NOTHING_DONE, type SweepServices } from '../functions/sweep/services.ts';
import { media, version } from '../test/support/factories.ts';
import { startServices } from '../test/support/services.ts';

const MEDIA = 5000;

await using services = await startServices();
const { table } = services;
const now = new Date().toISOString();
const numbers = Array.from({ length: MEDIA }, (_, i) => i);
await eachLimit(numbers, 40, async (i) => {
  const mediaId = await mediaIdFor('bench', String(i));
  const row = media({ mediaId, state: 'ready', current: version(1), createdAt: new Date(i * 1000).toISOString() });
  await apply(table, [{ op: 'put', key: rowKeys.media(mediaId), row }]);
});
const collection = newCollection({ creatorId: 'ann', collectionId: 'talks' }, now);
const flag = { scheduleRetranscode: true, todo: DUE_WORK.collection, todoAt: now };
await apply(table, [{ ...collection, row: { ...collection.row, ...flag } }]);

const counts = { ...NOTHING_DONE };
const report: SweepServices['report'] = (what, times = 1) => {
  counts[what] += times;
};
const before = services.meter.snapshot();
const started = performance.now();
await expandCollections({ table, now, report, timeIsUp: () => false });
const seconds = (performance.now() - started) / 1000;
const after = services.meter.snapshot();
const flagged = await countTodo(table, DUE_WORK.retranscode, MEDIA);
const requests = Object.keys(after).reduce((sum, name) => sum + (after[name] ?? 0) - (before[name] ?? 0), 0);
console.log(
  `sweep: ${flagged} of ${MEDIA} media flagged in ${seconds.toFixed(1)} s: ${Math.round(flagged / seconds)} per second`,
);
console.log(
  `  ${requests} requests, ${(requests / MEDIA).toFixed(2)} per media; collections cleared: ${counts.collectionsExpanded}`,
);
