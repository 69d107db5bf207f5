import { expect, it } from 'vitest';
import { type Findings, judge } from '../../../../core/api/health.ts';

const well: Findings = {
  checkedAt: '2026-11-21T12:00:00.000Z',
  queues: [{ name: 'ingest', waiting: 3, inFlight: 1, delayed: 0, deadLetters: 0, oldestSeconds: 3 }],
  jobs: { unfinished: 2, longestSilenceSeconds: 10, stuck: 0, stuckIds: [] },
  last24Hours: { ready: 5, failed: 0, refused: 0, latestFailure: null, latestBadKey: null },
  lastSweep: { at: '2026-11-21T11:58:00.000Z', ageSeconds: 120 },
  sweeps: [],
};

it('health is ok when nothing is wrong', () => {
  expect(judge(well)).toEqual({ status: 'ok', problems: [], ...well });
});

it('health is not degraded by uploads that were refused', () => {
  const health = judge({ ...well, last24Hours: { ...well.last24Hours, refused: 3 } });
  expect(health).toMatchObject({ status: 'ok', problems: [], last24Hours: { refused: 3 } });
});

it('health is degraded by stuck jobs and failures, and names the latest', () => {
  const latestFailure = { mediaId: 'a'.repeat(26), code: 'corrupt', message: 'Damaged.', at: well.checkedAt } as const;
  const health = judge({
    ...well,
    jobs: { ...well.jobs, stuck: 1, stuckIds: ['x'] },
    last24Hours: { ready: 5, failed: 2, refused: 0, latestFailure, latestBadKey: null },
  });
  expect(health.status).toBe('degraded');
  expect(health.problems).toEqual([
    '1 job that sweep should have seen to 10 minutes ago.',
    '2 failures in 24 hours, the latest: corrupt: Damaged.',
  ]);
});

it('health is degraded by a message that waits for half an hour, except of deliveries, which are tried for days', () => {
  const old = (name: string) => ({ name, waiting: 1, inFlight: 0, delayed: 0, deadLetters: 0, oldestSeconds: 1860 });
  expect(judge({ ...well, queues: [old('track'), old('webhooks')] })).toMatchObject({
    status: 'degraded',
    problems: ['The oldest message of track is 31 minutes old: its function fails, or is not called.'],
  });
});

it('health is degraded by a file under a key that is no drop', () => {
  const latestBadKey = { key: 'drop/x.wav', at: well.checkedAt };
  const health = judge({ ...well, last24Hours: { ...well.last24Hours, latestBadKey } });
  expect(health).toMatchObject({
    status: 'degraded',
    problems: [
      'drop/x.wav, which came within the last day, is not encoded: a key has to be drop/{creator}/{file} or drop/{creator}/{collection}/{file}. Move it, or delete it.',
    ],
  });
});

it('health is failing with dead letters or a late sweep', () => {
  const health = judge({
    ...well,
    queues: [{ name: 'track', waiting: 0, inFlight: 0, delayed: 0, deadLetters: 2, oldestSeconds: null }],
    lastSweep: { at: '2026-11-21T11:00:00.000Z', ageSeconds: 3600 },
  });
  expect(health.status).toBe('failing');
  expect(health.problems).toEqual([
    '2 messages in the dead-letter queue of track.',
    'The last sweep was 60 minutes ago.',
  ]);
});
