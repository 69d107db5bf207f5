import { describe, expect, it } from 'vitest';
import { costsFrom, costsOf } from '../../../../core/api/costs.ts';
import type { CostRow } from '../../../../core/contracts/table/costs.ts';
import { job } from '../../../support/factories.ts';

const cost = { usd: 0.2, vcpuSeconds: 60 };
const published = job({
  ...{ state: 'published', startedAt: '2026-11-21T11:00:00.000Z', finishedAt: '2026-11-21T11:05:00.000Z', cost },
  steps: [{ name: 'pushed', at: '2026-11-21T11:04:00.000Z' }],
  estimate: { seconds: 100, usd: 0.5, of: 'usual', assumed: { seconds: 100, usd: 0.5 } },
});

describe('what jobs add to the costs of a day', () => {
  it('is one row for each day, collection and engine, with the estimate of those that were published', () => {
    const ended = { state: 'failed', cost } as const;
    const failed = job({ ...ended, finishedAt: '2026-11-21T23:00:00.000Z' });
    const next = job({ ...ended, finishedAt: '2026-11-22T00:00:00.000Z' });
    const [first, second, ...others] = costsOf([published, failed, next]);
    expect(first).toEqual({
      key: { pk: 'COSTS#2026-11-21', sk: 'ann#talks#batch-cpu' },
      amounts: { jobs: 2, usd: 0.4, vcpuSeconds: 120, estimatedJobs: 1, expectedUsd: 0.5, estimatedUsd: 0.2 },
      set: { type: 'cost', creatorId: 'ann', collectionId: 'talks', engine: 'batch-cpu' },
    });
    expect(second?.key.pk).toBe('COSTS#2026-11-22');
    expect(second?.amounts).toMatchObject({ jobs: 1, usd: 0.2, estimatedJobs: 0, expectedUsd: 0 });
    expect(others).toEqual([]);
  });

  it('is nothing of a job whose cost is not known', () => {
    expect(costsOf([job({ state: 'failed' })])).toEqual([]);
  });
});

describe('costs', () => {
  const row = (collectionId: string, engine: string, usd: number): CostRow => ({
    ...{ type: 'cost', creatorId: 'ann', collectionId, engine, jobs: 1, usd, vcpuSeconds: 1 },
    ...{ estimatedJobs: 1, expectedUsd: 2 * usd, estimatedUsd: usd, expiresAt: 1 },
  });

  it('are summed by day and engine, and over the days by collection and engine, the dearest first', () => {
    const { days, collections, more } = costsFrom([
      ['2026-11-22', [row('talks', 'http', 1), row('films', 'http', 2), row('talks', 'batch-cpu', 4)]],
      ['2026-11-21', [row('talks', 'http', 8)]],
      ['2026-11-20', []],
    ]);
    expect(days.map(({ day, engine, usd, expectedUsd }) => [day, engine, usd, expectedUsd])).toEqual([
      ['2026-11-22', 'batch-cpu', 4, 8],
      ['2026-11-22', 'http', 3, 6],
      ['2026-11-21', 'http', 8, 16],
    ]);
    expect(collections.map(({ collectionId, engine, usd, jobs }) => [collectionId, engine, usd, jobs])).toEqual([
      ['talks', 'http', 9, 2],
      ['talks', 'batch-cpu', 4, 1],
      ['films', 'http', 2, 1],
    ]);
    expect(more).toBe(0);
  });

  it('name the fifty dearest collections, and say how many there are beside those', () => {
    const rows = Array.from({ length: 53 }, (_, i) => row(`c${i}`, 'http', i));
    const { collections, more } = costsFrom([['2026-11-22', rows]]);
    expect([collections.length, collections[0]?.collectionId, more]).toEqual([50, 'c52', 3]);
  });
});
