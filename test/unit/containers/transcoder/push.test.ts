import { expect, it } from 'vitest';
import { within } from '../../../../containers/transcoder/push.ts';

const MIB = 1024 * 1024;

it('a result has the playlists that it can hold, and none otherwise: then they are files alone', () => {
  const few = { '720p.m3u8': '#EXTM3U\n' };
  expect(within(few)).toEqual({ playlists: few });
  expect(within({ a: 'x'.repeat(27 * MIB) })).toHaveProperty('playlists');
  expect(within({ a: 'x'.repeat(14 * MIB), b: 'x'.repeat(14 * MIB) })).toEqual({});
  // A line's end has two characters there.
  expect(within({ a: '\n'.repeat(15 * MIB) })).toEqual({});
});
