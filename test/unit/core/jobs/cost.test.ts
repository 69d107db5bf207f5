import { describe, expect, it } from 'vitest';
import { allHeld, heldInVain, takenBy } from '../../../../core/jobs/cost.ts';

describe('what an engine job used', () => {
  it('is the vCPUs for the seconds of all its attempts', () => {
    expect(allHeld({ vcpus: 4, seconds: [600, 300] })).toBe(3600);
    expect(allHeld({ vcpus: 4, seconds: [] })).toBe(0);
  });
  it('was lost except for the successful attempt', () => {
    expect(heldInVain({ vcpus: 4, seconds: [600, 30] }, 25)).toBe(2420);
    expect(heldInVain({ vcpus: 4, seconds: [30] }, 25)).toBe(0);
    expect(heldInVain({ vcpus: 4, seconds: [1, 1] }, 25)).toBe(0);
  });
});

it('an encode used its CPU time and that of lost attempts before it', () => {
  const usage = { wallSeconds: 30, cpuSeconds: 100 };
  expect(takenBy({}, { usage })).toBe(100);
  expect(takenBy({ heldInVain: 2402 }, { usage })).toBe(2502);
});
