import { expect, test } from 'vitest';
import { peakRate } from '../../../../core/media/peak-rate.ts';

/** Times of pictures a second, from a time on. */
const pictures = (rate: number, count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i / rate);

test.each([
  ['a constant rate', pictures(25, 100), 25],
  ['a rate of NTSC', pictures(30_000 / 1001, 100), 30_000 / 1001],
  ['25 a second, then a pause of 12 s', [...pictures(25, 50), ...pictures(25, 50, 14)], 25],
  ['25 a second that become 50', [...pictures(25, 50), ...pictures(50, 100, 2)], 50],
  ['a slide every 20 s', pictures(1 / 20, 4), 1 / 20],
  ['less than a second', pictures(10, 5), 10],
  ['one picture that comes early among 25 a second', [...pictures(25, 50), 1.961, ...pictures(25, 50, 2)], 26],
])('the highest rate of %s', (_, times, rate) => {
  expect(peakRate(times)).toBeCloseTo(rate, 6);
});

test('of fewer than two pictures there is no rate', () => {
  expect(peakRate([])).toBeUndefined();
  expect(peakRate([0])).toBeUndefined();
});
