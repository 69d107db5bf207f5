import { expect, test } from 'vitest';
import { isInWindow, nextWindow, windowEnd } from '../../../../core/archive/window.ts';

const berlin = (window: string) => ({ window, timeZone: 'Europe/Berlin' });
const utc = (window: string) => ({ window, timeZone: 'UTC' });
const iso = (ms: number | undefined) => (ms === undefined ? undefined : new Date(ms).toISOString());

test.each([
  ['02:00-06:00', '2026-01-10T00:59:59Z', false],
  ['02:00-06:00', '2026-01-10T01:00:00Z', true],
  ['02:00-06:00', '2026-01-10T04:59:59Z', true],
  ['02:00-06:00', '2026-01-10T05:00:00Z', false],
  ['22:00-04:00', '2026-01-10T20:59:00Z', false],
  ['22:00-04:00', '2026-01-10T23:30:00Z', true],
  ['22:00-04:00', '2026-01-10T02:59:00Z', true],
  ['22:00-04:00', '2026-01-10T03:00:00Z', false],
  ['00:00-00:00', '2026-01-10T12:34:56Z', true],
])('%s in Berlin, in winter, at %s: %s', (window, at, expected) => {
  expect(isInWindow(Date.parse(at), berlin(window))).toBe(expected);
});

test('in summer the same clock is an hour earlier', () => {
  expect(isInWindow(Date.parse('2026-07-10T00:30:00Z'), berlin('02:00-06:00'))).toBe(true);
});

test.each([
  // 02:00 to 03:00 are left out on 29 March.
  ['02:00-06:00', '2026-03-28T20:00:00Z', '2026-03-29T01:00:00.000Z', '2026-03-29T04:00:00.000Z'],
  ['02:15-02:45', '2026-03-28T20:00:00Z', '2026-03-30T00:15:00.000Z', '2026-03-30T00:45:00.000Z'],
  // They are there twice on 25 October.
  ['02:00-03:00', '2026-10-24T20:00:00Z', '2026-10-25T00:00:00.000Z', '2026-10-25T02:00:00.000Z'],
  ['02:15-02:45', '2026-10-24T20:00:00Z', '2026-10-25T00:15:00.000Z', '2026-10-25T00:45:00.000Z'],
  ['02:15-02:45', '2026-10-25T00:50:00Z', '2026-10-25T01:15:00.000Z', '2026-10-25T01:45:00.000Z'],
  ['22:00-04:00', '2026-10-24T12:00:00Z', '2026-10-24T20:00:00.000Z', '2026-10-25T03:00:00.000Z'],
])('the window %s in Berlin after %s begins at %s and ends at %s', (window, after, begins, ends) => {
  const start = nextWindow(Date.parse(after), berlin(window));
  expect([iso(start), iso(windowEnd(start, berlin(window)))]).toEqual([begins, ends]);
});

test('in a window the next one is now', () => {
  const now = Date.parse('2026-01-10T03:00:30Z');
  expect(nextWindow(now, utc('02:00-06:00'))).toBe(now);
});

test('a window of the whole day has no end', () => {
  expect(windowEnd(Date.parse('2026-01-10T03:00:00Z'), utc('00:00-00:00'))).toBeUndefined();
});
