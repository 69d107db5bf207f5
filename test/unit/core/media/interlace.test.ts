import { describe, expect, test } from 'vitest';
import { combedRuns, hasCombs, isSuspicious, type Look } from '../../../../core/media/interlace.ts';

/** `t`, `b`: combed, top or bottom lines first; `T`, `B`: the same without comb lines; `p`: progressive; `.`: undetermined. */
const looks = (text: string): Look[] =>
  [...text].map((letter) => ({
    fields: ({ t: 'tff', b: 'bff', p: 'progressive' } as const)[letter.toLowerCase()] ?? 'undetermined',
    combed: letter === 't' || letter === 'b',
  }));

describe('the pictures to deinterlace', () => {
  test.each([
    ['all of them', 't'.repeat(60), [{ from: 0, to: 59, first: 'tff' }]],
    ['none of a progressive film', 'p'.repeat(60), []],
    ['from the first that looks so', `${'p'.repeat(60)}${'b'.repeat(60)}`, [{ from: 60, to: 119, first: 'bff' }]],
    ['to the last that looks so', `${'b'.repeat(60)}${'p'.repeat(60)}`, [{ from: 0, to: 59, first: 'bff' }]],
    [
      'also those that stand still in between',
      `${'t'.repeat(25)}${'.'.repeat(50)}${'t'.repeat(25)}`,
      [{ from: 0, to: 99, first: 'tff' }],
    ],
    ['none of seconds of changing parity', `${'t'.repeat(25)}${'b'.repeat(25)}${'t'.repeat(25)}`, []],
    ['none of a single second', `${'p'.repeat(50)}${'t'.repeat(25)}${'p'.repeat(50)}`, []],
    ['none where nothing has comb lines', 'T'.repeat(100), []],
    ['all of 3:2 pulldown', 'pttTT'.repeat(20), [{ from: 1, to: 99, first: 'tff' }]],
    [
      'those of both parities',
      `${'t'.repeat(50)}${'b'.repeat(50)}`,
      [
        { from: 0, to: 49, first: 'tff' },
        { from: 50, to: 99, first: 'bff' },
      ],
    ],
  ])('are %s', (_, text, runs) => {
    expect(combedRuns(looks(text), false)).toEqual(runs);
  });

  test('are a single second only of a track that says that it is interlaced', () => {
    expect(combedRuns(looks('t'.repeat(20)), false)).toEqual([]);
    expect(combedRuns(looks('t'.repeat(20)), true)).toEqual([{ from: 0, to: 19, first: 'tff' }]);
  });

  test('are one run where there would be more than fifty', () => {
    const often = `${'t'.repeat(50)}${'p'.repeat(50)}`.repeat(51);
    expect(combedRuns(looks(often), false)).toEqual([{ from: 0, to: 5049, first: 'tff' }]);
  });
});

test('a quarter of the pictures of one place is suspicious', () => {
  expect(isSuspicious(looks('pppt'))).toBe(true);
  expect(isSuspicious(looks('ppppt'))).toBe(false);
  expect(isSuspicious(looks('pppT'))).toBe(false);
});

describe('comb lines', () => {
  /** Eight lines of four points. */
  const picture = (...lines: number[]) => Uint8Array.from(lines.flatMap((luma) => [luma, luma, luma, luma]));
  const grey = picture(100, 100, 100, 100, 100, 100, 100, 100);
  test('are lines that differ from the next, and not from the next but one', () => {
    expect(hasCombs(picture(40, 220, 40, 220, 40, 220, 40, 220), grey, 4)).toBe(true);
  });
  test('are not an edge, nor lines of two', () => {
    expect(hasCombs(picture(40, 40, 40, 40, 220, 220, 220, 220), grey, 4)).toBe(false);
    expect(hasCombs(picture(40, 40, 220, 220, 40, 40, 220, 220), grey, 4)).toBe(false);
  });
  test('are looked for only where something moves', () => {
    const lines = picture(40, 220, 40, 220, 40, 220, 40, 220);
    expect(hasCombs(lines, lines, 4)).toBe(false);
  });
});
