import { describe, expect, it } from 'vitest';
import { nextDay, overQuota, quotaKey, secondsOf, take } from '../../../../core/jobs/quota.ts';

const QUOTAS = { uploadsPerDay: 3, minutesPerDay: 10 };
const NOW = '2026-11-21T23:59:59.999Z';

describe('a quota', () => {
  it.each([
    [null, { uploads: 1, seconds: 600 }, null],
    [{ uploads: 2, seconds: 0 }, { uploads: 1, seconds: 0 }, null],
    [{ uploads: 3, seconds: 0 }, { uploads: 1, seconds: 0 }, 'quota_uploads'],
    [{ uploads: 3, seconds: 0 }, { uploads: 0, seconds: 60 }, null],
    [{ uploads: 0, seconds: 590 }, { uploads: 1, seconds: 11 }, 'quota_minutes'],
    [{ uploads: 0, seconds: 590 }, { uploads: 1, seconds: 10 }, null],
  ])('of which %j is taken and %j needed: %s', (used, need, code) => {
    expect(overQuota(used, need, QUOTAS)?.code ?? null).toBe(code);
  });

  it('is described with its limit', () => {
    expect(overQuota({ uploads: 0, seconds: 450 }, { uploads: 1, seconds: 181 }, QUOTAS)?.message).toBe(
      "It counts for 4 minutes, and 2 of the day's 10 are left.",
    );
  });

  it('restarts at midnight UTC', () => {
    expect(quotaKey('ann', NOW)).toEqual({ pk: 'CREATOR#ann', sk: 'QUOTA#2026-11-21' });
    expect(nextDay(NOW)).toBe('2026-11-22T00:00:00.000Z');
  });

  it('is taken on the condition that there is room', () => {
    expect(take('ann', NOW, { uploads: 1, seconds: 90 }, QUOTAS)).toMatchObject({
      op: 'add',
      amounts: { uploads: 1, seconds: 90 },
      max: { uploads: 3, seconds: 600 },
    });
  });
});

it('a media item counts by its duration or, where that is unknown, by its size at 1 Mbit/s', () => {
  expect(secondsOf({ durationSeconds: 12.2 }, 5_000_000)).toBe(13);
  expect(secondsOf({}, 5_000_000)).toBe(40);
  expect(secondsOf(undefined, 1)).toBe(1);
});
