import { describe, expect, it } from 'vitest';
import { costOf, costOfFailed } from '../../../../functions/shared/cost.ts';
import { job, result } from '../../../support/factories.ts';

describe('the cost of a job', () => {
  it('that succeeded is that of its CPU time and of lost attempts before it', () => {
    expect(costOf(job({ heldInVain: 2402 }), result())).toEqual({ usd: 0.082311, vcpuSeconds: 6002 });
  });
  it('without a result is that of all that it used, and none if it used nothing', () => {
    const held = { vcpus: 4, seconds: [600, 300] };
    expect(costOfFailed(job(), { held })).toEqual({ usd: 0.04937, vcpuSeconds: 3600 });
    expect(costOfFailed(job(), { held: { vcpus: 4, seconds: [0, 0] } })).toBeUndefined();
    expect(costOfFailed(job())).toBeUndefined();
  });
  it('that failed after MediaConvert was paid for its encode is what was expected, at least', () => {
    const estimate = { seconds: 1, usd: 0.04, of: 'usual hd', assumed: { seconds: 1, usd: 0.04 } };
    const of = (part: string) => job({ engine: 'mediaconvert', part, estimate });
    const held = { vcpus: 4, seconds: [600, 300] };
    expect(costOfFailed(of('finish-1'))).toEqual({ usd: 0.04, vcpuSeconds: 0 });
    expect(costOfFailed(of('finish-1'), { held })).toEqual({ usd: 0.04937, vcpuSeconds: 3600 });
    expect(costOfFailed(of('encode'), { billed: true })).toEqual({ usd: 0.04, vcpuSeconds: 0 });
    expect(costOfFailed(of('encode'))).toBeUndefined();
    expect(costOfFailed(job({ engine: 'batch-cpu', estimate }))).toBeUndefined();
  });
  it('of an engine that this release does not know is unknown', () => {
    expect(costOf(job({ engine: 'paper' }), result())).toBeUndefined();
  });
});
