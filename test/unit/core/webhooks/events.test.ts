import { describe, expect, it } from 'vitest';
import { deliveryIdOf, eventIdOf, payloadOf, wants, webhookEventOf } from '../../../../core/webhooks/events.ts';

const MEDIA = 'a'.repeat(26);

describe('webhookEventOf', () => {
  it.each([
    [null, 'uploading', null],
    ['uploading', 'uploaded', 'media.uploaded'],
    [null, 'uploaded', 'media.uploaded'],
    ['uploaded', 'transcoding', 'media.transcoding'],
    ['transcoding', 'ready', 'media.ready'],
    ['transcoding', 'failed', 'media.failed'],
    ['uploading', 'failed', 'media.failed'],
    ['ready', 'retranscoding', 'media.retranscoding'],
    ['retranscoding', 'ready', 'media.retranscoded'],
    ['ready', 'deleting', null],
    ['deleting', null, 'media.deleted'],
    ['uploading', null, null],
  ] as const)('from %s to %s is %s', (from, to, event) => {
    expect(webhookEventOf({ from, to })).toBe(event);
  });

  it('of an encode that is held back is media.held, whatever the state', () => {
    expect(webhookEventOf({ from: 'uploaded', to: 'uploaded', held: true })).toBe('media.held');
  });
  it('of an encode whose beginning can be played is media.playable', () => {
    expect(webhookEventOf({ from: 'transcoding', to: 'transcoding', playable: true })).toBe('media.playable');
  });
});

it("an event's id is made from the change, so that a duplicate is recognized", () => {
  const change = { mediaId: MEDIA, seq: 7, at: '2026-11-21T14:00:00.000Z' };
  expect(eventIdOf(change)).toBe(`evt_${MEDIA}_7`);
  expect(deliveryIdOf(change)).toBe(`1795269600000-evt_${MEDIA}_7`);
});

it('an event contains the new state, its sequence number and the error', () => {
  const change = {
    mediaId: MEDIA,
    creatorId: 'ada',
    collectionId: 'default',
    title: 'Clip',
    from: 'transcoding',
    to: 'failed',
    seq: 3,
    at: '2026-11-21T14:00:00.000Z',
    jobId: `${MEDIA}-1`,
    error: { code: 'corrupt', message: 'The file is damaged.' },
  } as const;
  expect(payloadOf('media.failed', change)).toEqual({
    type: 'media.failed',
    timestamp: '2026-11-21T14:00:00.000Z',
    data: {
      mediaId: MEDIA,
      creatorId: 'ada',
      collectionId: 'default',
      title: 'Clip',
      state: 'failed',
      seq: 3,
      jobId: `${MEDIA}-1`,
      error: { code: 'corrupt', message: 'The file is damaged.' },
    },
  });
});

it('the event of a version with warnings lists them, and what its source holds', () => {
  const warnings = [{ code: 'track_skipped', message: 'The audio track 2 was not taken.' }];
  const change = {
    mediaId: MEDIA,
    creatorId: 'ada',
    collectionId: 'default',
    title: 'Clip',
    from: 'transcoding',
    to: 'ready',
    seq: 3,
    at: '2026-11-21T14:00:00.000Z',
    warnings,
  } as const;
  const source = { container: 'ogg', tracks: [{ index: 0, type: 'audio', codec: 'opus', taken: true }] };
  const { data } = payloadOf('media.ready', { ...change, warnings: [...warnings], source });
  expect([data.warnings, data.source]).toEqual([warnings, source]);
});

it('an enabled endpoint gets the events that it names, or all when it names none', () => {
  expect(wants({ enabled: true, state: 'active', events: [] }, 'media.ready')).toBe(true);
  expect(wants({ enabled: true, state: 'active', events: ['media.ready'] }, 'media.ready')).toBe(true);
  expect(wants({ enabled: true, state: 'active', events: ['media.ready'] }, 'media.failed')).toBe(false);
  expect(wants({ enabled: false, state: 'active', events: [] }, 'media.ready')).toBe(false);
});
