import { expect, it } from 'vitest';
import { costNames, difference, type Share, shareOf, statsFrom } from '../../../../core/api/stats.ts';

const share = (more: Partial<Share>): Share => ({
  type: 'share',
  mediaId: 'm',
  creatorId: 'ada',
  seq: 1,
  state: 'ready',
  secondsIn: 60,
  secondsOut: 240,
  bytesIn: 1000,
  bytesOut: 500,
  ...more,
});

it('counts a new media whole', () => {
  expect(difference(null, share({}))).toEqual({
    state_ready: 1,
    secondsIn: 60,
    secondsOut: 240,
    bytesIn: 1000,
    bytesOut: 500,
  });
});

it('moves a media from one state to another, and changes what differs', () => {
  expect(difference(share({}), share({ seq: 2, state: 'retranscoding' }))).toEqual({
    state_ready: -1,
    state_retranscoding: 1,
  });
  expect(difference(share({}), share({ seq: 3, bytesOut: 400 }))).toEqual({ bytesOut: -100 });
});

it('takes a media that is gone out of every count', () => {
  const gone = shareOf({ mediaId: 'm', creatorId: 'ada', seq: 9, to: null }, null);
  expect(difference(share({}), gone)).toEqual({
    state_ready: -1,
    secondsIn: -60,
    secondsOut: -240,
    bytesIn: -1000,
    bytesOut: -500,
  });
});

it('adds the counts of creators up, with costs by month and engine', () => {
  const { usd, vcpuSeconds } = costNames('batch-cpu', '2026-11-21T12:00:00.000Z');
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
  });
});
