import { expect, it } from 'vitest';
import { timeOfRun } from '../../../../functions/sweep/time-of-run.ts';

const CLOCK = Date.parse('2026-11-21T12:00:00.000Z');

it.each([
  ['without a schedule, the time of the clock', undefined, '2026-11-21T12:00:00.000Z'],
  ['of a schedule that runs late, the time of the clock', '2026-11-21T11:55:00.000Z', '2026-11-21T12:00:00.000Z'],
  ['where the clock is behind, the time of the schedule', '2026-11-21T12:00:07.000Z', '2026-11-21T12:00:07.000Z'],
  ['never far ahead, whoever invokes it', '2030-01-01T00:00:00.000Z', '2026-11-21T12:01:00.000Z'],
])('a run has %s', (_, scheduled, time) => {
  expect(timeOfRun(scheduled, CLOCK)).toBe(time);
});
