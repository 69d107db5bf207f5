import { describe, expect, it } from 'vitest';
import { charge, overCap, settle } from '../../../../core/jobs/spending.ts';
import { job, NOW } from '../../../support/factories.ts';

const add = (sk: string, usd: number, max: object = {}) => ({
  ...{ op: 'add', key: { pk: 'CREATOR#ann', sk }, amounts: { usd }, max },
});

describe('a job counts in the month of its submission', () => {
  it('with its estimate, under each cap on the condition that it has room', () => {
    const both = charge(job(), 0.25, { creator: 9, collection: 5 }, NOW);
    expect(both?.charged).toEqual({ usd: 0.25, month: '2026-11', under: ['creator', 'collection'] });
    expect(both?.adds).toMatchObject([
      add('SPENT#2026-11', 0.25, { usd: 9 }),
      add('SPENT#2026-11#talks', 0.25, { usd: 5 }),
    ]);
    expect(charge(job(), 0.25, { collection: 5 }, NOW)?.adds).toHaveLength(1);
    expect(charge(job(), 0.25, {}, NOW)).toBeNull();
  });

  it('and with the estimate of another engine that it moves to, in the same month and under the same caps', () => {
    const charged = { usd: 0.25, month: '2026-11', under: ['creator' as const] };
    expect(charge(job({ charged }), 0.4, { creator: 9, collection: 5 }, NOW)).toMatchObject({
      charged: { ...charged, usd: 0.4 },
      adds: [add('SPENT#2026-11', 0.15, { usd: 9 })],
    });
    // Less needs no room, and another month's cap is not this one's.
    expect(charge(job({ charged }), 0.1, { creator: 0 }, NOW)?.adds).toMatchObject([add('SPENT#2026-11', -0.15)]);
    const before = { ...charged, month: '2026-10' };
    expect(charge(job({ charged: before }), 0.4, { creator: 0 }, NOW)?.adds).toMatchObject([
      add('SPENT#2026-10', 0.15),
    ]);
  });

  it('and with its cost instead from its end on, whether that is more or less, or none', () => {
    const charged = { usd: 0.3, month: '2026-10', under: ['creator' as const] };
    expect(settle(job({ charged }), { usd: 0.1, vcpuSeconds: 1 })).toMatchObject({
      charged: { usd: 0.1, month: '2026-10' },
      adds: [add('SPENT#2026-10', -0.2)],
    });
    expect(settle(job({ charged }), undefined)?.adds).toMatchObject([add('SPENT#2026-10', -0.3)]);
    expect(settle(job({ charged }), { usd: 0.3, vcpuSeconds: 1 })?.adds).toEqual([]);
    expect(settle(job(), { usd: 0.1, vcpuSeconds: 1 })).toBeNull();
  });
});

it.each([
  ['under both caps', { creator: 1, collection: 1 }, { creator: 2, collection: 2 }, null],
  ['up to the cap', { creator: 1.9, collection: 0 }, { creator: 2 }, null],
  ['without caps', { creator: 100, collection: 100 }, {}, null],
  [
    "above the creator's",
    { creator: 1.95, collection: 0 },
    { creator: 2, collection: 2 },
    "Of the month's 2.00 USD of the creator, 1.95 are used or expected, and this encode may add 0.10.",
  ],
  [
    "above the collection's",
    { creator: 0, collection: 3 },
    { collection: 0 },
    "Of the month's 0.00 USD of the collection, 3.00 are used or expected, and this encode may add 0.10.",
  ],
])('an encode of 0.10 USD %s', (_, spent, caps, message) => {
  const over = overCap(spent, 0.1, caps, NOW);
  if (message === null) expect(over).toBeNull();
  else expect(over).toMatchObject({ code: 'cap_reached', at: NOW, message: expect.stringContaining(message) });
});
