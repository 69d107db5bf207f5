import { expect, test } from 'vitest';
import { PacketClock } from '../../../../containers/transcoder/packets.ts';

const packet = (pts: number, duration = 0.1, track = 0) => ({ track, pts, dts: pts, duration, discarded: false });

test('reordered frames begin with the earliest and end with the latest', () => {
  const clock = new PacketClock(false);
  for (const pts of [0.3, 0.1, 0.2, 0.4]) clock.add(packet(pts));
  expect(clock.tracks(0.1).get(0)).toEqual({
    count: 4,
    start: 0,
    last: expect.closeTo(0.3),
    end: expect.closeTo(0.4),
    open: 0,
  });
  expect(clock.joined).toBe(false);
});

test('time continues where a clock restarts', () => {
  const clock = new PacketClock(true);
  for (const pts of [0, 0.1, 0.2, 0, 0.1, 0.2]) clock.add(packet(pts));
  expect(clock.tracks(0).get(0)?.end).toBeCloseTo(0.6);
  expect(clock.joined).toBe(true);
});

test('a packet that lasts a day at a joint counts as zero', () => {
  const clock = new PacketClock(true);
  clock.add(packet(0));
  clock.add(packet(0.1, 97_391));
  expect(clock.tracks(0).get(0)?.end).toBeCloseTo(0.1);
});

test('times are used unchanged in a container whose clock never restarts, and a step back is noticed', () => {
  const clock = new PacketClock(false);
  for (const pts of [0, 50]) clock.add(packet(pts));
  expect(clock.stepsBack).toBe(false);
  clock.add(packet(20));
  expect(clock.tracks(0).get(0)?.end).toBeCloseTo(50.1);
  expect(clock.stepsBack).toBe(true);
});

test('a packet that alone jumps ahead is counted, and its time is not believed', () => {
  const clock = new PacketClock(false);
  for (const pts of [0, 0.1, 0.2, 700.3, 0.4, 0.5]) clock.add(packet(pts));
  expect(clock.tracks(0).get(0)).toMatchObject({ count: 6, last: 0.5, end: expect.closeTo(0.6) });
  expect(clock.stepsBack).toBe(false);
});

test('two packets that jump ahead are believed', () => {
  const clock = new PacketClock(false);
  for (const pts of [0, 0.1, 700.2, 700.3, 0.4, 0.5]) clock.add(packet(pts));
  expect(clock.tracks(0).get(0)?.end).toBeCloseTo(700.4);
  expect(clock.stepsBack).toBe(true);
});

test('a packet that the edit list leaves out is not part of a track', () => {
  const clock = new PacketClock(false);
  for (const pts of [0, 0.1]) clock.add(packet(pts));
  clock.add({ ...packet(0.2), discarded: true });
  expect(clock.tracks(0).get(0)?.end).toBeCloseTo(0.2);
  const hidden = new PacketClock(false);
  hidden.add({ ...packet(0), discarded: true });
  expect(hidden.tracks(0).size).toBe(0);
});

test('a track that stands still while another one goes on has a pause, which is not a joint', () => {
  const clock = new PacketClock(true);
  const sound = Array.from({ length: 140 }, (_, i) => packet(i / 10, 0.1, 1));
  for (const one of [packet(0), ...sound, packet(13)]) clock.add(one);
  expect([clock.joined, clock.pause]).toEqual([false, expect.closeTo(12.9)]);
  expect(clock.tracks(0).get(0)?.end).toBeCloseTo(13.1);
});

test('packets without times follow each other', () => {
  const clock = new PacketClock(false);
  for (let i = 0; i < 3; i++) clock.add(packet(Number.NaN, 0.04));
  expect(clock.tracks(0).get(0)?.end).toBeCloseTo(0.12);
});

test('a last packet that does not say how long it lasts may last as long as any, and one without any time for ever', () => {
  const clock = new PacketClock(false);
  for (const pts of [0, 0.3, 0.5]) clock.add(packet(pts, Number.NaN));
  expect(clock.tracks(0).get(0)).toMatchObject({ end: 0.5, open: 0.3 });
  const single = new PacketClock(false);
  single.add(packet(0, Number.NaN));
  expect(single.tracks(0).get(0)).toMatchObject({ end: 0, open: Number.POSITIVE_INFINITY });
  const timeless = new PacketClock(false);
  timeless.add(packet(Number.NaN, Number.NaN));
  expect(timeless.tracks(0).get(0)).toMatchObject({ end: 0, open: Number.POSITIVE_INFINITY });
});
