import { describe, expect, it } from 'vitest';
import { delaySeconds, GIVE_UP_AFTER_MS, nextAttempt } from '../../../../core/webhooks/backoff.ts';

/** Seconds after the first try of every later one, when all fail at once. */
function schedule(random: number): number[] {
  const times: number[] = [];
  let now = 0;
  for (let attempts = 1; ; attempts += 1) {
    const next = nextAttempt(attempts, now, GIVE_UP_AFTER_MS, random);
    if (next === null) return times;
    times.push(next / 1000);
    now = next;
  }
}

describe('nextAttempt', () => {
  it('is seconds later at first, twelve hours later at most, and the last one is after three days', () => {
    expect(schedule(0)).toEqual([
      5, 25, 105, 425, 1705, 6825, 27_305, 70_505, 113_705, 156_905, 200_105, 243_305, 259_200,
    ]);
  });

  it('has at most a tenth of random delay', () => {
    expect(schedule(1).slice(0, 3)).toEqual([5.5, 27.5, 115.5]);
    expect(schedule(1).at(-1)).toBe(259_200);
  });

  it('is none after the deadline', () => {
    expect(nextAttempt(3, 1000, 1000, 0)).toBeNull();
    expect(nextAttempt(1, 999, 1000, 0)).toBe(1000);
  });
});

it('a message is delayed by whole seconds, and at most by the 900 of SQS', () => {
  expect(delaySeconds(10_001, 10_000)).toBe(1);
  expect(delaySeconds(9_000, 10_000)).toBe(0);
  expect(delaySeconds(10_000_000, 0)).toBe(900);
});
