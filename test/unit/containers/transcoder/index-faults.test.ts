import { expect, test } from 'vitest';
import { Presented } from '../../../../containers/transcoder/index-faults.ts';

const packet = (pts: number, discarded = false) => ({ track: 0, pts, dts: pts, duration: 0.04, discarded });

function presented(...packets: ReturnType<typeof packet>[]): Presented {
  const track = new Presented();
  for (const one of packets) track.add(one);
  return track;
}

test('a track ends with the latest of its packets, however they are reordered', () => {
  const track = presented(packet(0), packet(0.12), packet(0.04), packet(0.08));
  expect(track.end).toBeCloseTo(0.16);
  expect(track.twice).toBe(false);
});

test('a packet that the edit list leaves out is not presented', () => {
  expect(presented(packet(0), packet(0.04, true)).end).toBeCloseTo(0.04);
  expect(presented(packet(0, true)).end).toBeUndefined();
  expect(presented(packet(0), packet(0, true)).twice).toBe(false);
});

test('two packets of one time are seen among those that may be reordered', () => {
  const others = Array.from({ length: 15 }, (_, i) => packet(1 + i * 0.04));
  expect(presented(packet(0), ...others, packet(0)).twice).toBe(true);
});
