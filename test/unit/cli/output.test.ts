import { expect, it } from 'vitest';
import { bytes, duration, fields, table } from '../../../cli/output.ts';

it('writes sizes with a unit that fits', () => {
  expect([0, 1, 1023, 1024, 1536, 10 * 1024 ** 2, 5.5 * 1024 ** 4].map(bytes)).toEqual([
    '0 B',
    '1 B',
    '1023 B',
    '1.0 KiB',
    '1.5 KiB',
    '10 MiB',
    '5.5 TiB',
  ]);
});

it('writes durations as clocks do', () => {
  expect([undefined, 0, 59.6, 75, 3725].map(duration)).toEqual(['', '0:00', '1:00', '1:15', '1:02:05']);
});

it('aligns columns without trailing spaces', () => {
  expect(
    table(
      ['ID', 'TITLE'],
      [
        ['abc', 'x'],
        ['d', ''],
      ],
    ),
  ).toBe('ID   TITLE\nabc  x\nd');
  expect(table(['ID'], [])).toBe('(none)');
});

it('leaves out fields that are not there', () => {
  expect(
    fields([
      ['id', 'x'],
      ['error', undefined],
      ['longer', 'y'],
    ]),
  ).toBe('id      x\nlonger  y');
});
