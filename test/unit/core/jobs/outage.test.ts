import { describe, expect, it } from 'vitest';
import type { EngineRow } from '../../../../core/contracts/table/engines.ts';
import { failedAgain, isDown, isPassedOver, pausedUntil } from '../../../../core/jobs/outage.ts';
import { plus } from '../../../../core/time.ts';
import { NOW } from '../../../support/factories.ts';

const failed = (failures: number): EngineRow | null =>
  Array.from({ length: failures }).reduce<EngineRow | null>((row, _, i) => failedAgain(row, `no ${i}`, NOW), null);

describe('an engine to which submissions fail', () => {
  it.each([
    [0, false, null],
    [2, false, null],
    [3, true, '2026-11-21T12:01:00.000Z'],
    [4, true, '2026-11-21T12:02:00.000Z'],
    [7, true, '2026-11-21T12:15:00.000Z'],
    [99, true, '2026-11-21T12:15:00.000Z'],
  ])('%d times in a row is down: %s, and paused until %s', (failures, down, until) => {
    expect([isDown(failed(failures)), pausedUntil(failed(failures), NOW)]).toEqual([down, until]);
  });

  it('may be tried when the pause is over, and is not forgotten', () => {
    expect(pausedUntil(failed(3), plus(NOW, { minutes: 1 }))).toBeNull();
    expect(isDown(failed(3))).toBe(true);
  });

  it('is passed over from half an hour after the first of them on, while it is paused', () => {
    const row = failedAgain(failed(9), 'no more', plus(NOW, { minutes: 29 }));
    // Its pause ends at minute 44: then a job tries whether it takes jobs again.
    expect([29, 30, 43, 44].map((minutes) => isPassedOver(row, plus(NOW, { minutes })))).toEqual([
      ...[false, true, true, false],
    ]);
    expect(isPassedOver(failed(2), plus(NOW, { hours: 9 }))).toBe(false);
  });
});
