import { expect, it } from 'vitest';
import { describeSums, sampleOf } from '../../../cli/commands/presets/roll-out.ts';

const all = { media: 40_000, complete: true, seconds: 80_000, usd: 400, present: 9e9, most: 8e9 };

it.each([
  ['a share', all, 0.1, { media: 40, seconds: 80, usd: 0.4 }],
  ['no more than samples have', all, 50, { media: 100, seconds: 200, usd: 1 }],
  ['one media item at least', { ...all, media: 40, usd: 4, seconds: 80 }, 1, { media: 1, seconds: 2, usd: 0.1 }],
  ['all', all, 100, { media: 40_000, seconds: 80_000, usd: 400 }],
  ['nothing of nothing', { ...all, media: 0, seconds: 0, usd: 0 }, 1, { media: 0, seconds: 0, usd: 0 }],
])('a sample is expected to take %s', (_, sums, percent, sample) => {
  expect(sampleOf(sums, percent)).toEqual(sample);
});

it('the estimate of a part says that it is one', () => {
  const some = { ...all, complete: false };
  const text = describeSums(some, sampleOf(some, 1), 1);
  expect(text).toMatch(/^sample +at least 100 media/m);
  expect(text).toMatch(/^all +at least 40000 media/m);
  expect(text).toContain('Not all media were looked at: there are more.');
  expect(describeSums(all, sampleOf(all, 1), 1)).not.toContain('at least');
});
