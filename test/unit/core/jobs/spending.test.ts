import { describe, expect, it } from 'vitest';
import { charge, overCap, settle } from '../../../../core/jobs/spending.ts';
import { job, NOW } from '../../../support/factories.ts';

const added = (usd: number, month: string, max: object = {}) => [
  { op: 'add', key: { pk: 'CREATOR#ann', sk: `SPENT#${month}` }, amounts: { usd }, max: {} },
  { op: 'add', key: { pk: 'CREATOR#ann', sk: `SPENT#${month}#talks` }, amounts: { usd }, max },
];

describe('a job counts in the month of its submission', () => {
  it('with its estimate, on the condition that the cap has room', () => {
    const { charged, adds } = charge(job(), 0.25, { collection: 5 }, NOW);
    expect(charged).toEqual({ usd: 0.25, month: '2026-11' });
    expect(adds).toMatchObject(added(0.25, '2026-11', { usd: 5 }));
  });

  it('and with its cost instead from its end on, whether that is more or less, or none', () => {
    const row = job({ charged: { usd: 0.3, month: '2026-10' } });
    expect(settle(row, { usd: 0.1, vcpuSeconds: 1 })).toMatchObject({
      charged: { usd: 0.1, month: '2026-10' },
      adds: added(-0.2, '2026-10'),
    });
    expect(settle(row, undefined).adds).toMatchObject(added(-0.3, '2026-10'));
    expect(settle(row, { usd: 0.3, vcpuSeconds: 1 }).adds).toEqual([]);
  });

  it('with its cost alone where an earlier release submitted it', () => {
    expect(settle(job(), { usd: 0.1, vcpuSeconds: 1 }).adds).toMatchObject(added(0.1, '2026-11'));
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
    "Of the month's 2.00 USD of the creator, 1.95 are used or expected, and this encode may cost 0.10.",
  ],
  [
    "above the collection's",
    { creator: 0, collection: 3 },
    { collection: 0 },
    "Of the month's 0.000000 USD of the collection, 3.00 are used or expected, and this encode may cost 0.10.",
  ],
])('an encode of 0.10 USD %s', (_, spent, caps, message) => {
  const over = overCap(spent, 0.1, caps, NOW);
  if (message === null) expect(over).toBeNull();
  else expect(over).toMatchObject({ code: 'cap_reached', at: NOW, message: expect.stringContaining(message) });
});
