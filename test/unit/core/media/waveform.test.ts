import { expect, test } from 'vitest';
import { Peaks } from '../../../../core/media/waveform.ts';

test('a pixel is the least and the greatest of its samples, divided by 256 and truncated', () => {
  const peaks = new Peaks(1, 3);
  expect(peaks.add(Int16Array.of(0, 256, -1, 32_767, -32_768, 511))).toEqual([0, 1, -128, 127]);
  expect(peaks.length).toBe(2);
});

test('channels are averaged', () => {
  expect(new Peaks(2, 2).add(Int16Array.of(1000, 3000, -1000, -3000))).toEqual([-7, 7]);
});

test('samples may arrive in pieces, and the last pixel may be short', () => {
  const peaks = new Peaks(1, 4);
  expect(peaks.add(Int16Array.of(256, 512))).toEqual([]);
  expect(peaks.add(Int16Array.of(-512, 768, 1024))).toEqual([-2, 3]);
  expect(peaks.end()).toEqual([4, 4]);
  expect(peaks.end()).toEqual([]);
  expect(peaks.length).toBe(2);
});
