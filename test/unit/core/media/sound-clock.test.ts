import { expect, test } from 'vitest';
import { SoundClock } from '../../../../core/media/sound-clock.ts';

/** Frames of 100 ms: 100 samples each. */
const RATE = 1000;

function follow(...times: (number | undefined)[]) {
  return followed(new SoundClock(RATE, { alone: false }), times);
}

function followed(clock: SoundClock, times: readonly (number | undefined)[]) {
  const steps = times.flatMap((at) => clock.add(at, 100));
  steps.push(...clock.end());
  const { decoded, before, filled, cut, position } = clock;
  return { steps, counts: { decoded, before, filled, cut }, position, overlaps: clock.overlaps };
}
const take = { take: 100 };

test('sound at its times is taken as it is, and a frame without a time follows the one before', () => {
  expect(follow(0, 100, undefined, 300)).toMatchObject({
    steps: [take, take, take, take],
    counts: { decoded: 400, before: 0, filled: 0, cut: 0 },
    position: 400,
  });
});

test('silence comes before sound that begins late, and what lies before the start is dropped', () => {
  expect(follow(250).steps).toEqual([{ silence: 250 }, take]);
  expect(follow(-30, 70).steps).toEqual([{ drop: 30 }, { take: 70 }, take]);
});

test('up to 40 ms are left as they are; what adds up to more is filled', () => {
  expect(follow(0, 140, 240).counts.filled).toBe(0);
  expect(follow(0, 130, 260, 360, 460, 560, 660)).toMatchObject({ counts: { filled: 60 }, position: 760 });
});

test('a gap on which half a second agrees is filled with silence', () => {
  const { steps, counts } = follow(0, 1100, 1200, 1300, 1400, 1500);
  expect(steps).toEqual([take, { silence: 1000 }, take, take, take, take, take]);
  expect(counts).toEqual({ decoded: 600, before: 0, filled: 1000, cut: 0 });
});

test('an overlap on which half a second agrees is cut, once', () => {
  const { steps, counts } = follow(0, 100, 200, 50, 150, 250, 350, 450, 550);
  expect(steps.slice(3)).toEqual([{ drop: 100 }, { drop: 100 }, { drop: 50 }, { take: 50 }, take, take, take]);
  expect(counts).toEqual({ decoded: 900, before: 0, filled: 0, cut: 250 });
});

test('frames that are stamped late for less than half a second are taken as they are', () => {
  const { steps, counts } = follow(0, 570, 670, 300, 400);
  expect(steps).toEqual([take, take, take, take, take]);
  expect(counts).toEqual({ decoded: 500, before: 0, filled: 0, cut: 0 });
});

test('frames of five seconds that jump by hours and come back are taken as they are, and a jump that lasts is believed', () => {
  const cluster = Array.from({ length: 50 }, (_, i) => 16_777_000 + i * 100);
  const lone = follow(0, 100, ...cluster, 5200, 5300);
  expect(lone).toMatchObject({ counts: { filled: 0, cut: 0 }, position: 5400 });
  const gap = Array.from({ length: 60 }, (_, i) => 20_000 + i * 100);
  expect(follow(0, 100, ...gap)).toMatchObject({ counts: { filled: 19_800 }, position: 26_000 });
});

test('at the end two frames have to agree, and one alone does not count', () => {
  expect(follow(0, 5100, 5200).counts.filled).toBe(5000);
  expect(follow(0, 5100).counts.filled).toBe(0);
});

const gaps = (...times: (number | undefined)[]) => follow(...times).steps.filter((step) => 'silence' in step);

test('bursts of less than half a second after gaps are each put at their time', () => {
  expect(follow(0, 1000, 1100, 2000, 2100, 3000, 3100)).toMatchObject({
    steps: [take, { silence: 900 }, take, take, { silence: 800 }, take, take, { silence: 800 }, take, take],
    counts: { filled: 2500, cut: 0 },
    position: 3200,
  });
  // As soon as half a second is known to have left the clock, not at the end.
  const clock = new SoundClock(RATE, { alone: false });
  const steps = [0, 1000, 1100, 1200, 2000, 2100, 3000].map((at) => clock.add(at, 100).length);
  expect(steps).toEqual([1, 0, 0, 0, 0, 0, 7]);
});

test('a frame that is stamped wrong within a burst stays among its neighbours', () => {
  expect(gaps(0, 1000, 1100, 7000, 1300, 1400, 1500, 1600)).toEqual([{ silence: 900 }]);
  expect(gaps(0, 1000, 1100, 20, 1300, 1400, 1500, 1600)).toEqual([{ silence: 900 }]);
  expect(gaps(0, 570, 200, 1000, 1100, 1200, 1300, 1400)).toEqual([{ silence: 700 }]);
});

test('a frame without a time in a burst follows the one before', () => {
  expect(gaps(0, 1000, undefined, 1200, undefined, 1400)).toEqual([{ silence: 900 }]);
});

test('a gap after an overlap is as much shorter as is still to be dropped', () => {
  const { steps, counts } = follow(0, 500, 600, 700, 800, 900, 100, 200, 300, 400, 500, 3000, 3100, 3200, 3300, 3400);
  expect(counts).toEqual({ decoded: 1600, before: 0, filled: 2400, cut: 500 });
  expect(steps.filter((step) => 'silence' in step)).toEqual([{ silence: 400 }, { silence: 2000 }]);
});

test('what is cut is told with its place and its length', () => {
  expect(follow(0, 100, 200, 50, 150, 250, 350, 450, 550).overlaps).toEqual([{ at: 0.3, seconds: 0.25 }]);
  expect(follow(-30, 70).overlaps).toEqual([{ at: 0, seconds: 0.03 }]);
  expect(follow(0, 570, 670, 300, 400).overlaps).toEqual([]);
});

test('sound without pictures is not cut where it overlaps: it all follows, and gaps after it are filled', () => {
  const alone = (...times: number[]) => followed(new SoundClock(RATE, { alone: true }), times);
  // The clock restarts at 0 after half a second, and has a gap of 300 ms later.
  const { steps, counts, overlaps } = alone(0, 100, 200, 300, 400, 0, 100, 200, 300, 400, 800, 900, 1000, 1100, 1200);
  expect(counts).toEqual({ decoded: 1500, before: 0, filled: 300, cut: 0 });
  expect(steps.indexOf(steps.find((step) => 'silence' in step) ?? take)).toBe(10);
  expect(overlaps).toEqual([]);
  // Before 0, or less than half a second after it, is the delay of a coder.
  expect(alone(-500, -400)).toMatchObject({ counts: { before: 0, cut: 0 }, position: 200 });
  expect(alone(70, 170)).toMatchObject({ counts: { before: 0, filled: 0 }, position: 200 });
  expect(alone(600, 700)).toMatchObject({ counts: { before: 600 }, position: 800 });
  // Frames of 100 ms, 60 ms apart.
  expect(alone(...Array.from({ length: 40 }, (_, i) => i * 60))).toMatchObject({
    counts: { decoded: 4000, filled: 0, cut: 0 },
    position: 4000,
  });
});

test('sound whose times are a guess begins at its time, and all else follows', () => {
  const clock = new SoundClock(RATE, { alone: false, rough: true });
  expect(followed(clock, [200, 900, 1600, 300, 1000, 1700, 1701, 1702])).toMatchObject({
    counts: { decoded: 800, before: 200, filled: 0, cut: 0 },
    position: 1000,
  });
});
