import { expect, it } from 'vitest';
import { describeDeliveries } from '../../../cli/commands/webhooks/describe.ts';
import type { DeliveryView } from '../../../core/contracts/http/webhooks.ts';

const media = 'pws53vd4sbg74y3mh46lefoij5';
const delivery: Omit<DeliveryView, 'status' | 'attempts' | 'log'> = {
  ...{
    id: `1764417600000-evt_${media}_3`,
    eventId: `evt_${media}_3`,
    event: 'media.ready' as const,
    mediaId: media,
    seq: 3,
  },
  createdAt: '2026-11-29T12:00:00.000Z',
};

it('a delivery is listed with its last answer, the time of it and of the next try', () => {
  const failed = {
    ...{ ...delivery, status: 'pending' as const, attempts: 2, nextAttemptAt: '2026-11-29T12:05:00.000Z' },
    log: [
      { at: '2026-11-29T12:00:01.000Z', latencyMs: 5, error: 'connect ECONNREFUSED' },
      { at: '2026-11-29T12:01:00.000Z', latencyMs: 12, status: 500 },
    ],
  };
  const untried = { ...delivery, status: 'pending' as const, attempts: 0, log: [] };
  expect(
    describeDeliveries([
      { ...failed, log: [...failed.log] },
      { ...untried, log: [] },
    ]).split('\n'),
  ).toEqual([
    'DELIVERY                                        EVENT        STATUS   TRIES  LAST                      ANSWER  MS  NEXT',
    `${delivery.id}  media.ready  pending  2      2026-11-29T12:01:00.000Z  500     12  2026-11-29T12:05:00.000Z`,
    `${delivery.id}  media.ready  pending  0`,
  ]);
});
