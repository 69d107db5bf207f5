import { expect, it, vi } from 'vitest';
import { Output } from '../../../cli/output.ts';
import { fields, table } from '../../../cli/table.ts';
import { bytes, duration } from '../../../cli/units.ts';

it('sizes are written with a fitting unit', () => {
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

it('durations are written as on a clock', () => {
  expect([undefined, 0, 59.6, 75, 3725].map(duration)).toEqual(['', '0:00', '1:00', '1:15', '1:02:05']);
});

it('columns are aligned without trailing spaces', () => {
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

it('missing fields are left out', () => {
  expect(
    fields([
      ['id', 'x'],
      ['error', undefined],
      ['longer', 'y'],
    ]),
  ).toBe('id      x\nlonger  y');
});

/** Sets the terminal's title, clears it, fills the clipboard, begins a line, and reads from right to left. */
const HOSTILE = 'x\u001b]0;PWNED\u0007\u001b[2J\u009b1m\nfake-id  ready\r\u202egpj.exe\u2028\u200b\u{e0041}';
const SEEN = 'x�]0;PWNED��[2J�1m�fake-id  ready��gpj.exe���';

it('a hostile title is shown escaped on its own line', () => {
  expect(
    table(
      ['ID', 'TITLE'],
      [
        ['a', HOSTILE],
        ['b', 'y'],
      ],
    ),
  ).toBe(`ID  TITLE\na   ${SEEN}\nb   y`);
  expect(fields([['title', HOSTILE]])).toBe(`title  ${SEEN}`);
});

it('results and notes are printed without control characters other than line feeds, and JSON unchanged', () => {
  const written: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    vi.spyOn(stream, 'write').mockImplementation((text) => written.push(String(text)) > 0),
  );
  new Output(false).result({}, () => 'a\u001b[2Jb\nc');
  new Output(false).note('sign in at \u001b]52;c;cm0=\u0007');
  new Output(true).result({ title: HOSTILE }, () => '');
  for (const spy of spies) spy.mockRestore();
  expect(written.slice(0, 2)).toEqual(['a�[2Jb\nc\n', 'sign in at �]52;c;cm0=�\n']);
  expect(JSON.parse(written[2] ?? '')).toEqual({ title: HOSTILE });
});
