import { apply, getRow } from '../../aws/table.ts';
import type { LoadRow } from '../../core/contracts/table/engines.ts';
import { engineKeys, rowKeys } from '../../core/contracts/table/keys.ts';
import { SweepRow } from '../../core/contracts/table/sweep.ts';
import { isDown } from '../../core/jobs/outage.ts';
import { plus } from '../../core/time.ts';
import type { Look, QueueState } from '../../engines/engine.ts';
import { failing } from '../shared/expectations.ts';
import { count, logger } from '../shared/observability.ts';
import type { SweepServices } from './services.ts';

/** An engine starts a job within minutes; where jobs wait and none has run for this long, none will. */
const IDLE_MINUTES = 30;

const Idle = SweepRow.pick({ engineIdleSince: true });

/** Checks each engine once: what it runs on, and its queues. */
export async function watchEngines(services: SweepServices): Promise<void> {
  await watchSubmissions(services);
  const engines = services.engines.entries();
  const looks = await Promise.allSettled(engines.map(([, { look }]) => look()));
  for (const [i, [engine]] of engines.entries()) {
    const looked = looks[i];
    if (looked?.status !== 'fulfilled') continue;
    const { queues, broken } = looked.value;
    for (const { what, reason } of broken) {
      logger.error('a part of the engine cannot be used', { engine, what, reason, decision: 'escalate' });
      count('environmentInvalid');
      services.report('environmentsInvalid');
    }
    await watchQueues(services, engine, queues);
  }
  await noteLoad(
    services,
    engines.map(([name], i) => [name, looks[i]] as const),
  );
  // An engine that does not answer does not keep the others from being checked.
  for (const looked of looks) if (looked.status === 'rejected') throw looked.reason;
}

/** For the choice of `auto`. */
async function noteLoad(
  { table, now }: SweepServices,
  looks: readonly (readonly [engine: string, look: PromiseSettledResult<Look> | undefined])[],
): Promise<void> {
  const waiting = looks.flatMap(([engine, look]) => {
    if (look?.status !== 'fulfilled') return [];
    return [[engine, look.value.queues.reduce((sum, queue) => sum + queue.waiting, 0)] as const];
  });
  const seen = looks.flatMap(([engine, look]) => (look?.status === 'fulfilled' ? [[engine, look.value] as const] : []));
  const set: LoadRow = {
    ...{ type: 'load', at: now, waiting: Object.fromEntries(waiting) },
    looks: Object.fromEntries(seen.map(([engine, look]) => [engine, shortened(look)])),
  };
  await apply(table, [{ op: 'update', key: engineKeys.load, expect: {}, set }]);
}

/** An engine's words may be long, and it may have many parts: a row has 400 KB at most. */
const [MOST_SAID, MOST_PARTS] = [500, 20];

function shortened({ queues, broken, ...rest }: Look): Look {
  const cut = (text: string) => text.slice(0, MOST_SAID);
  return {
    ...rest,
    queues: queues
      .slice(0, MOST_PARTS)
      .map(({ blockedBy, ...queue }) => ({ ...queue, blockedBy: blockedBy === null ? null : cut(blockedBy) })),
    broken: broken.slice(0, MOST_PARTS).map(({ what, reason }) => ({ what: cut(what), reason: cut(reason) })),
  };
}

/** Reports an engine to which submissions fail: each run, so that the alarm lasts as long as the outage, and is one. */
async function watchSubmissions(services: SweepServices): Promise<void> {
  for (const [engine, row] of await failing(services.table, services.engines)) {
    if (!isDown(row)) continue;
    const { failures, failingSince, why: reason } = row;
    logger.error('the engine takes no jobs', { engine, code: 'engine_down', failures, failingSince, reason });
    count('escalated');
    services.report('enginesDown');
  }
}

/**
 * Reports a queue that is blocked, but not one that is long. An engine's queues may share what they run on, so while any job runs, those
 * of all of them may be waiting for its place.
 */
async function watchQueues(services: SweepServices, engine: string, looks: readonly QueueState[]): Promise<void> {
  const { now } = services;
  const idle = !looks.some(({ atWork }) => atWork) && looks.some(({ waiting }) => waiting > 0);
  const since = await idleSince(services, engine, idle);
  const tooLong = since !== null && plus(since, { minutes: IDLE_MINUTES }) <= now;
  for (const { queue, waiting, blockedBy } of looks) {
    const reason =
      blockedBy ?? (tooLong && waiting > 0 ? `no job was started since ${since}, and ${waiting} wait` : null);
    if (reason === null) continue;
    logger.error('the queue does not progress', { engine, queue, code: 'engine_stuck', reason, decision: 'escalate' });
    count('escalated');
    services.report('queuesStuck');
  }
}

/** Since when jobs have waited while none ran, as observed by the runs; null when a job runs, or none waits. */
async function idleSince({ table, now }: SweepServices, engine: string, idle: boolean): Promise<string | null> {
  const key = rowKeys.sweep();
  const { [engine]: before, ...others } = (await getRow(table, key, Idle))?.engineIdleSince ?? {};
  if (idle === (before !== undefined)) return before ?? null;
  const engineIdleSince = idle ? { ...others, [engine]: now } : others;
  const change =
    Object.keys(engineIdleSince).length > 0
      ? { set: { engineIdleSince } }
      : { set: {}, remove: ['engineIdleSince'] as const };
  await apply(table, [{ op: 'update', key, expect: {}, ...change }]);
  return idle ? now : null;
}
