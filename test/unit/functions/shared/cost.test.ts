import { describe, expect, it } from 'vitest';
import { costOf, costOfHeld } from '../../../../functions/shared/cost.ts';
import { job, result } from '../../../support/factories.ts';

describe('the cost of a job', () => {
  it('that succeeded is that of its CPU time and of lost attempts before it', () => {
    expect(costOf(job({ heldInVain: 2402 }), result())).toEqual({ usd: 0.082311, vcpuSeconds: 6002 });
  });
  it('without a result is that of all that it used, and none if it used nothing', () => {
    expect(costOfHeld(job(), { vcpus: 4, seconds: [600, 300] })).toEqual({ usd: 0.04937, vcpuSeconds: 3600 });
    expect(costOfHeld(job(), { vcpus: 4, seconds: [0, 0] })).toBeUndefined();
    expect(costOfHeld(job(), undefined)).toBeUndefined();
  });
  it('of an engine that this release does not know is unknown', () => {
    expect(costOf(job({ engine: 'paper' }), result())).toBeUndefined();
  });
});
