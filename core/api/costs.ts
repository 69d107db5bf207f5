import type { Costs } from '../contracts/http/system.ts';
import type { CostRow } from '../contracts/table/costs.ts';
import { actualOf, type JobRow } from '../contracts/table/jobs.ts';
import { apiKeys, type RowKey } from '../contracts/table/keys.ts';

const AMOUNTS = ['jobs', 'usd', 'vcpuSeconds', 'estimatedJobs', 'expectedUsd', 'estimatedUsd'] as const;
type Amounts = Record<(typeof AMOUNTS)[number], number>;

/** Collections that are named, the dearest first. */
const MOST_COLLECTIONS = 50;

export interface DayOfCosts {
  key: RowKey;
  amounts: Amounts;
  set: Pick<CostRow, 'type' | 'creatorId' | 'collectionId' | 'engine'>;
}

/** What these jobs, whose cost is known, add to the rows of their days: one for each row. */
export function costsOf(jobs: readonly JobRow[]): DayOfCosts[] {
  const days = new Map<string, DayOfCosts>();
  for (const job of jobs) {
    const { creatorId, collectionId, engine, cost, estimate } = job;
    if (!cost) continue;
    const key = apiKeys.cost((job.finishedAt ?? job.createdAt).slice(0, 10), job);
    const name = `${key.pk} ${key.sk}`;
    const day = days.get(name) ?? { key, amounts: nothing(), set: { type: 'cost', creatorId, collectionId, engine } };
    const actual = estimate && actualOf(job);
    add(day.amounts, {
      ...{ jobs: 1, usd: cost.usd, vcpuSeconds: cost.vcpuSeconds },
      ...{
        estimatedJobs: actual ? 1 : 0,
        expectedUsd: actual ? estimate.usd : 0,
        estimatedUsd: actual ? actual.usd : 0,
      },
    });
    days.set(name, day);
  }
  return [...days.values()];
}

/** @param rows by their day, the latest first */
export function costsFrom(rows: readonly (readonly [day: string, rows: readonly CostRow[]])[]): Costs {
  const days: Costs['days'] = [];
  const collections = new Map<string, Costs['collections'][number]>();
  for (const [day, ofDay] of rows) {
    const engines = new Map<string, Amounts>();
    for (const row of ofDay) {
      const { creatorId, collectionId, engine } = row;
      engines.set(engine, add(engines.get(engine) ?? nothing(), row));
      const name = JSON.stringify([creatorId, collectionId, engine]);
      collections.set(name, { creatorId, collectionId, engine, ...add(collections.get(name) ?? nothing(), row) });
    }
    days.push(...[...engines].sort().map(([engine, amounts]) => ({ day, engine, ...amounts })));
  }
  const dearest = [...collections.values()].sort((a, b) => b.usd - a.usd);
  const more = Math.max(0, dearest.length - MOST_COLLECTIONS);
  return { days, collections: dearest.slice(0, MOST_COLLECTIONS), more };
}

function nothing(): Amounts {
  return { jobs: 0, usd: 0, vcpuSeconds: 0, estimatedJobs: 0, expectedUsd: 0, estimatedUsd: 0 };
}

function add(to: Amounts, what: Amounts): Amounts {
  for (const name of AMOUNTS) to[name] += what[name];
  return Object.fromEntries(AMOUNTS.map((name) => [name, to[name]])) as Amounts;
}
