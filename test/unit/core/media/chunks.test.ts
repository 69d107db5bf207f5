import { expect, test } from 'vitest';
import { PRESETS, type Preset } from '../../../../core/contracts/presets.ts';
import { seekSeconds } from '../../../../core/media/chunk.ts';
import { chunkCount, FARGATE, inChunks, paidSeconds } from '../../../../core/media/chunk-count.ts';
import { cutChunks, planChunk, planSound, whyWhole } from '../../../../core/media/chunks.ts';
import type { EncodePlan, VideoPlan } from '../../../../core/media/encode-plan.ts';
import { planEncode } from '../../../../core/media/plan.ts';

const video = {
  ...{ index: 0, codec: 'h264', pixelFormat: 'yuv420p', interlaced: false, constantRate: true, startSeconds: 0 },
  ...{ coded: { width: 1920, height: 1080 }, displayed: { width: 1920, height: 1080 } },
  color: { primaries: undefined, transfer: undefined, matrix: undefined },
  ...{ frameRate: { num: 25, den: 1 }, baseRate: { num: 25, den: 1 }, endSeconds: 600 },
};
const audio = { index: 1, codec: 'aac', channels: 2, sampleRate: 48_000, endSeconds: 600 };
const probe = { format: 'mov,mp4', startSeconds: 0, durationSeconds: 600, skipped: [] };
const film = planEncode({ ...probe, video, audio }, PRESETS.standard as Preset, { video: 600, audio: 600 });

test.each([
  [600, 3, [0, 204, 408]],
  [600, 1, [0]],
  // A rest that is shorter than a segment belongs to the chunk before.
  [605, 2, [0, 300]],
  [606, 2, [0, 306]],
  [13, 5, [0, 6]],
  [18, 5, [0, 6, 12]],
  [4, 3, [0]],
])('a film of %d s in %d chunks is cut at multiples of 6 s', (seconds, count, starts) => {
  const chunks = cutChunks({ durationSeconds: seconds, segmentSeconds: 6 }, count);
  expect(chunks.map(({ start }) => start)).toEqual(starts);
  expect(chunks.map(({ index }) => index)).toEqual(starts.map((_, i) => i));
  expect(chunks.map(({ end }) => end)).toEqual([...starts.slice(1), undefined]);
});

test('chunks are cut at multiples of the segments that the preset has, and alike by their number', () => {
  const cut = cutChunks({ durationSeconds: 100, segmentSeconds: 4 }, 3);
  expect(cut.map(({ start }) => start)).toEqual([0, 36, 72]);
  for (const count of [2, 7, 30, 99]) {
    const once = cutChunks(film, count);
    expect(cutChunks(film, once.length)).toEqual(once);
  }
});

test('a chunk is decoded from 10 s before its start on, or from the start of the file', () => {
  expect([0, 6, 12, 60].map((start) => seekSeconds({ index: 1, start }))).toEqual([0, 0, 2, 50]);
});

const of = (more: Partial<VideoPlan>): EncodePlan => ({ ...film, video: { ...(film.video as VideoPlan), ...more } });
test.each([
  ['a plain film', film, undefined],
  ['sound alone', { ...film, video: undefined }, 'It has no pictures.'],
  ['a joined recording', { ...film, joined: true }, 'It is joined from several recordings.'],
  [
    'one of 120 pictures a second',
    of({ retime: { num: 60, den: 1 } }),
    'Pictures are left out of it, which are counted from its start.',
  ],
  ['one that begins late', of({ lead: 0.5 }), 'Its pictures begin late.'],
  ['one whose codec tells fields', of({ deinterlace: 'flagged' }), undefined],
  [
    'one with combed pictures',
    of({ deinterlace: [{ from: 5, to: 9, first: 'tff' }] }),
    'Its pictures are deinterlaced by their number from its start.',
  ],
] as const)('%s', (_, plan, why) => {
  expect(whyWhole(plan as EncodePlan)).toBe(why);
});

test('the plan of a chunk has its pictures alone, and the thumbnail where it is taken', () => {
  const [first, second] = cutChunks(film, 10);
  if (!first || !second) throw new Error('no chunks');
  expect(film.thumbnail?.atSeconds).toBe(60);
  expect(planChunk(film, first, 0).thumbnail).toBeUndefined();
  const plan = planChunk(film, second, 60.04);
  expect(plan).toMatchObject({ thumbnail: film.thumbnail, chunk: { index: 1, start: 60, end: 120, first: 60.04 } });
  expect(Object.keys(plan)).not.toEqual(expect.arrayContaining(['audio']));
  expect(plan.poster ?? plan.posterLarge ?? plan.preview).toBeUndefined();
  const sound = planSound(film);
  expect(sound).toMatchObject({ audio: film.audio });
  expect(sound && 'video' in sound).toBe(false);
});

const HOUR = [3600, 2193] as const;
const starts = FARGATE;
test.each([
  ['an hour of 1080p on 4 vCPUs', ...HOUR, 1000, 8],
  ['the same on 16 of them, of which 4 take one worker', ...HOUR, 4, 3],
  ['the same where only two workers fit', ...HOUR, 2, 1],
  ['ten hours of it', 36_000, 21_930, 1000, 118],
  ['a day at 60 pictures a second', 86_400, 105_000, 1000, 633],
  ['40 minutes of it', 2400, 1462, 1000, 2],
  ['20 minutes of it: the other workers take what may be spent', 1200, 731, 1000, 1],
  ['an hour of 360p', 3600, 244, 1000, 1],
  ['a short one that is very hard to encode', 150, 4000, 1000, 2],
])('%s: %d s of film and %d s of work, by %d workers at most, are %d chunks', (_, seconds, whole, workers, count) => {
  expect(chunkCount(seconds, whole, { workers, starts })).toBe(count);
});

test.each([
  ['a deadline that is met at 1.15 times the price', 3600, 8],
  ['one of six minutes', 360, 14],
  ['one of four minutes', 240, 34],
  ['one that cannot be met: as many as cost twice as much', 120, 60],
  ['one that is over', -60, 60],
])('an hour of 1080p with %s (%d s) is %i chunks', (_, deadlineSeconds, count) => {
  expect(chunkCount(...HOUR, { workers: 64, starts, deadlineSeconds })).toBe(count);
});

test('without a deadline chunks cost at most 1.15 times what one worker does, and with one twice as much', () => {
  for (const film of [1800, 3600, 7200, 36_000]) {
    for (const work of [300, 2193, 20_000]) {
      for (const deadlineSeconds of [undefined, 60]) {
        const count = chunkCount(film, work, { workers: 1000, starts, deadlineSeconds });
        const times = paidSeconds(film, work, count, starts) / paidSeconds(film, work, 1, starts);
        expect(times).toBeLessThanOrEqual(deadlineSeconds === undefined ? 1.15 : 2);
      }
    }
  }
});

test('a worker that takes minutes to start, and is paid for them, is worth it for the longest films only', () => {
  const gpu = { paid: 180, waits: 240, least: 60 };
  expect(chunkCount(3600, 1097, { workers: 64, starts: gpu })).toBe(1);
  expect(chunkCount(86_400, 52_500, { workers: 64, starts: gpu })).toBeGreaterThan(10);
});

test('what chunks are expected to take: the starts between the parts in time, and what is done twice in work', () => {
  const { seconds, workerSeconds } = inChunks(...HOUR, 7, starts);
  expect(seconds).toBeCloseTo(5 + 40 + 2193 / 7 + 1 + 40 + 36, 0);
  expect(workerSeconds).toBeCloseTo(5 + 2193 + 7 + 36 + 36, 0);
});
