import { describe, expect, it } from 'vitest';
import { countMedia, difference, type End, type News, type Share, statsFrom } from '../../../../core/api/stats.ts';
import { job, media, source, version } from '../../../support/factories.ts';

const share = (more: Partial<Share>): Share => ({
  type: 'share',
  mediaId: 'm',
  creatorId: 'ada',
  ended: [],
  paid: [],
  state: 'ready',
  secondsIn: 60,
  secondsOut: 240,
  bytesIn: 1000,
  bytesOut: 500,
  ...more,
});

it('a new media item is counted with all its numbers', () => {
  expect(difference(null, share({}))).toEqual({
    state_ready: 1,
    secondsIn: 60,
    secondsOut: 240,
    bytesIn: 1000,
    bytesOut: 500,
  });
});

it('a change of state moves a media item from one count to another, and changes what differs', () => {
  expect(difference(share({}), share({ state: 'retranscoding' }))).toEqual({
    state_ready: -1,
    state_retranscoding: 1,
  });
  expect(difference(share({}), share({ bytesOut: 400 }))).toEqual({ bytesOut: -100 });
});

const AT = '2026-11-21T12:34:56.000Z';
const news = (more: Partial<News> = {}): News => ({
  mediaId: 'm',
  creatorId: 'ada',
  ends: [],
  jobs: [],
  at: AT,
  ...more,
});
const ended = (seq: number, how: End = 'ready') => ({ seq, at: AT, how });

describe('counting a media item', () => {
  const ready = media({
    state: 'ready',
    source: source({ size: 1000 }),
    sourceInfo: { durationSeconds: 60 },
    current: version(1, { bytes: 500 }),
  });

  it('removes a deleted one from every count, and keeps its share for a while', () => {
    const counted = countMedia(share({ rev: 4 }), null, news());
    expect(counted?.amounts).toEqual({
      state_ready: -1,
      secondsIn: -60,
      secondsOut: -240,
      bytesIn: -1000,
      bytesOut: -500,
    });
    expect(counted?.share).toMatchObject({ rev: 5, state: null, expiresAt: Date.parse(AT) / 1000 + 30 * 86_400 });
  });

  it('again changes nothing', () => {
    const first = countMedia(null, ready, news({ ends: [ended(3)] }));
    expect(first?.hours).toEqual({ '2026-11-21T12': { ready: 1, failed: 0, refused: 0 } });
    expect(countMedia(first?.share ?? null, ready, news({ ends: [ended(3)] }))).toBeNull();
  });

  it('counts the other version after a rollback, though the state is the same', () => {
    const before = countMedia(null, ready, news())?.share ?? null;
    const rolledBack = { ...ready, current: version(2, { bytes: 700 }) };
    expect(countMedia(before, rolledBack, news())?.amounts).toEqual({ bytesOut: 200 });
  });

  it('counts a "ready" that arrives after its successor once', () => {
    const first = countMedia(null, media({ state: 'failed' }), news({ ends: [ended(5, 'failed')] }))?.share ?? null;
    const late = countMedia(first, media({ state: 'failed' }), news({ ends: [ended(3), ended(3)] }));
    expect(late?.hours).toEqual({ '2026-11-21T12': { ready: 1, failed: 0, refused: 0 } });
    expect(late?.share.ended).toEqual([5, 3]);
  });

  it('regards an end that is older than all 20 remembered ones as counted', () => {
    const known = share({ ended: Array.from({ length: 20 }, (_, i) => 50 - i) });
    const counted = countMedia(known, ready, news({ ends: [ended(30), ended(51)] }));
    expect(counted?.hours).toEqual({ '2026-11-21T12': { ready: 1, failed: 0, refused: 0 } });
    expect(counted?.share.ended).toHaveLength(20);
  });

  it('the cost of a job is added once, in the month of its end', () => {
    const paid = job({ n: 2, cost: { usd: 0.5, vcpuSeconds: 90 }, finishedAt: AT });
    const counted = countMedia(countMedia(null, ready, news())?.share ?? null, ready, news({ jobs: [paid] }));
    expect(counted?.amounts).toEqual({
      'cost_batch-cpu_2026-11_usd': 0.5,
      'cost_batch-cpu_2026-11_vcpuSeconds': 90,
    });
    expect(countMedia(counted?.share ?? null, ready, news({ jobs: [paid] }))).toBeNull();
  });
});

it('what a published job was expected to take is counted beside what it took', () => {
  const done = job({
    state: 'published',
    startedAt: '2026-11-21T12:00:00.000Z',
    steps: [{ name: 'pushed', at: '2026-11-21T12:00:30.000Z' }],
    finishedAt: AT,
    cost: { usd: 0.5, vcpuSeconds: 90 },
    estimate: { seconds: 20, usd: 0.4, of: 'usual hd', assumed: { seconds: 10, usd: 0.2 } },
  });
  const estimated = {
    'estimate_batch-cpu_2026-11_jobs': 1,
    'estimate_batch-cpu_2026-11_expectedSeconds': 20,
    'estimate_batch-cpu_2026-11_seconds': 30,
    'estimate_batch-cpu_2026-11_expectedUsd': 0.4,
    'estimate_batch-cpu_2026-11_usd': 0.5,
  };
  expect(countMedia(null, null, news({ jobs: [done] }))?.amounts).toMatchObject(estimated);
  expect(countMedia(null, null, news({ jobs: [{ ...done, state: 'failed' }] }))?.amounts).toEqual({
    'cost_batch-cpu_2026-11_usd': 0.5,
    'cost_batch-cpu_2026-11_vcpuSeconds': 90,
  });
  expect(statsFrom([estimated]).estimates).toEqual([
    { month: '2026-11', engine: 'batch-cpu', jobs: 1, expectedSeconds: 20, seconds: 30, expectedUsd: 0.4, usd: 0.5 },
  ]);
});

it('the counts of creators are added up, with costs by month and engine', () => {
  const [usd, vcpuSeconds] = ['cost_batch-cpu_2026-11_usd', 'cost_batch-cpu_2026-11_vcpuSeconds'];
  const stats = statsFrom([
    { pk: 'COUNTS', sk: 'ada', state_ready: 2, secondsIn: 90, [usd]: 0.25, [vcpuSeconds]: 100 },
    { pk: 'COUNTS', sk: 'bob', state_ready: 1, state_failed: 3, bytesIn: 7, [usd]: 0.5, [vcpuSeconds]: 50 },
  ]);
  expect(stats).toEqual({
    media: { uploading: 0, uploaded: 0, transcoding: 0, ready: 3, failed: 3, retranscoding: 0, deleting: 0 },
    minutesIn: 1.5,
    minutesOut: 0,
    bytesIn: 7,
    bytesOut: 0,
    bytesSavedByArchive: 0,
    cost: [{ month: '2026-11', engine: 'batch-cpu', usd: 0.75, vcpuSeconds: 150 }],
    estimates: [],
  });
});
