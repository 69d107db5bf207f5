import { expect, it } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import { encodeSeconds, frameRateOf, presumed } from '../../../../core/media/estimate.ts';

const standard = PRESETS.standard ?? expect.fail('no preset');
const uhd = PRESETS.uhd ?? expect.fail('no preset');
const bare = { ...standard, outputs: { ...standard.outputs, mp4: false } };
const HOUR = 3600;
const fullHd = { durationSeconds: HOUR, width: 1920, height: 1080, frameRate: 30 };

it.each([
  ['an hour of 1080p30', fullHd, standard, 4, 2193],
  ['the same upright', { ...fullHd, width: 1080, height: 1920 }, standard, 4, 2193],
  ['the same on twice the vCPUs', fullHd, standard, 8, 1097],
  ['the same at 60 frames per second', { ...fullHd, frameRate: 60 }, standard, 4, 4386],
  ['the same of an unknown rate', { durationSeconds: HOUR, width: 1920, height: 1080 }, standard, 4, 2193],
  [
    'an hour of 2160p30, made as 1080p with an MP4 of 2400',
    { ...fullHd, width: 3840, height: 2160 },
    standard,
    4,
    4112,
  ],
  ['the same without an MP4', { ...fullHd, width: 3840, height: 2160 }, bare, 4, 2193],
  ['an hour of 2160p30, made as such, with an MP4 of 2400', { ...fullHd, width: 3840, height: 2160 }, uhd, 4, 10691],
  ['an hour of 360p30', { ...fullHd, width: 640, height: 360 }, standard, 4, 244],
  ['a day of audio', { durationSeconds: 24 * HOUR }, standard, 4, 288],
] as const)('%s takes', (_, source, preset, vcpus, seconds) => {
  expect(Math.round(encodeSeconds(source, preset, vcpus) ?? 0)).toBe(seconds);
});

it.each([
  ['a second of 64x64', { durationSeconds: 1, width: 64, height: 64, frameRate: 25 }],
  ['a second of sound', { durationSeconds: 1 }],
])('%s takes a CPU second, because programs have to start', (_, source) => {
  expect(encodeSeconds(source, standard, 4)).toBeCloseTo(0.25, 1);
  expect(encodeSeconds(source, standard, 1)).toBeCloseTo(1, 1);
});

it.each([
  [50, 30, 25],
  [60, 30, 30],
  [30.4, 30, 30.4],
  [100, 60, 50],
  [24, 60, 24],
])('of %d pictures a second with a limit of %d it counts %d, as they are encoded', (frameRate, maxFrameRate, rate) => {
  expect(frameRateOf({ frameRate }, { ...standard, maxFrameRate })).toBe(rate);
});

it('the estimate of a source without a known duration is unknown', () => {
  expect(encodeSeconds({ width: 1920, height: 1080 }, standard, 4)).toBeNull();
});

it.each([
  ['nothing', {}, { width: 1920, height: 1080, durationSeconds: 80 }],
  ['its codec', { audioCodec: 'mp3' }, { audioCodec: 'mp3', durationSeconds: 80 }],
  ['its length', { audioCodec: 'mp3', durationSeconds: 5 }, { audioCodec: 'mp3', durationSeconds: 5 }],
])('a source of which %s is known is taken for a usual one', (_, known, taken) => {
  expect(presumed(known, 80)).toEqual(taken);
});
