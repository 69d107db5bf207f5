import { describe, expect, it } from 'vitest';
import { allHeld, heldByWorkers, heldInVain, takenBy } from '../../../../core/jobs/cost.ts';

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

it('of several workers, all is lost of those that left nothing of use, and of the others all attempts but the last', () => {
  const workers = [
    { vcpus: 4, seconds: [10, 100] },
    { vcpus: 4, seconds: [50], inVain: true as const },
    { vcpus: 4, seconds: [] },
  ];
  expect(heldByWorkers(workers)).toEqual({ all: 640, inVain: 240 });
});

it('an encode used its CPU time and that of lost attempts before it', () => {
  const usage = { wallSeconds: 30, cpuSeconds: 100 };
  expect(takenBy({}, { usage })).toBe(100);
  expect(takenBy({ heldInVain: 2402 }, { usage })).toBe(2502);
});
