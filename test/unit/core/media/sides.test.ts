import { expect, test } from 'vitest';
import { leftAndRight, type MonoTrack } from '../../../../core/media/sides.ts';

const track = (index: number, more: Partial<MonoTrack> = {}): MonoTrack => ({
  ...{ index, codec_name: 'pcm_s24le', channels: 1, sample_rate: 48_000, start_time: 0, duration: 10 },
  ...{ disposition: {}, tags: {}, ...more },
});
const sides = (tracks: MonoTrack[], format = 'mov,mp4,m4a,3gp,3g2,mj2') =>
  leftAndRight(tracks, format)?.map(({ index }) => index);

test('two mono tracks that are alike are left and right', () => {
  expect(sides([track(1), track(2)])).toEqual([1, 2]);
  expect(sides([track(1), track(2, { duration: 10.05 })])).toEqual([1, 2]);
});

test.each<[string, Partial<MonoTrack>]>([
  ['another language', { tags: { language: 'ger' } }],
  ['another codec', { codec_name: 'aac' }],
  ['another rate', { sample_rate: 44_100 }],
  ['another length', { duration: 12 }],
  ['another start', { start_time: 1 }],
  ['two channels', { channels: 2 }],
  ['sound for the blind', { disposition: { visual_impaired: 1 } }],
])('a track with %s is not the other side', (_, more) => {
  expect(sides([track(1), track(2, more)])).toBeUndefined();
});

test('of more tracks, those called left and right are taken', () => {
  const surround = ['FL', 'FR', 'FC', 'LFE'].map((name, i) => track(i, { channel_layout: `1 channels (${name})` }));
  expect(sides(surround)).toEqual([0, 1]);
  expect(sides([track(1, { channel_layout: 'FR' }), track(2, { channel_layout: 'FL' })])).toEqual([2, 1]);
  expect(sides([track(1, { channel_layout: 'FC' }), track(2, { channel_layout: 'LFE' })])).toBeUndefined();
});

test('more tracks without a name are not sides, but the first two of an MXF are', () => {
  const four = [track(1), track(2), track(3), track(4)];
  expect(sides(four)).toBeUndefined();
  expect(sides(four, 'mxf')).toEqual([1, 2]);
  expect(sides([track(1)], 'mxf')).toBeUndefined();
});
