import { describe, expect, it } from 'vitest';
import { pricesIn } from '../../../../core/contracts/prices.ts';
import { heldBy } from '../../../../engines/batch/held.ts';
import { priceOf } from '../../../../engines/batch/price.ts';
import { rate } from '../../../../local/services/batch/prices.ts';

const requires = (value: string) => ({
  resourceRequirements: [
    { type: 'MEMORY', value: '8192' },
    { type: 'VCPU', value },
  ],
});

describe('what a job of AWS Batch used', () => {
  it('is its vCPUs for the wall time of each attempt, and nothing for an attempt that never ran', () => {
    const attempts = [
      { startedAt: 1_000, stoppedAt: 61_500 },
      { stoppedAt: 90_000 },
      { startedAt: 100_000, stoppedAt: 100_250 },
    ];
    expect(heldBy({ attempts, container: requires('4') })).toEqual({ vcpus: 4, seconds: [60.5, 0, 0.25] });
  });
  it('is nothing where AWS Batch reports no times', () => {
    expect(heldBy({})).toEqual({ vcpus: 0, seconds: [] });
    expect(heldBy({ attempts: [{ startedAt: 5_000 }], container: requires('4') })).toEqual({ vcpus: 4, seconds: [0] });
  });
});

describe('its price', () => {
  const { prices } = pricesIn('us-east-1');
  it('is that of a vCPU and its 2 GB on demand', () => {
    expect(priceOf({ vcpuSeconds: 3600 }, prices)).toEqual({ usd: 0.04937, vcpuSeconds: 3600 });
  });
  it('is the same by the prices of the local cloud', () => {
    const perVcpuHour = rate('batch:vcpu-seconds:FARGATE', prices)?.usdPerUnit ?? 0;
    const perGbHour = rate('batch:gb-seconds:FARGATE', prices)?.usdPerUnit ?? 0;
    expect(priceOf({ vcpuSeconds: 3600 }, prices).usd).toBeCloseTo(perVcpuHour + 2 * perGbHour, 6);
  });
});
