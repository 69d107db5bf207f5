import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { planJob } from '../../../../engines/mediaconvert/settings.ts';
import { unfit } from '../../../../engines/mediaconvert/unfit.ts';
import { PHONE, PLACE, PODCAST, planned, type Source, UHD } from './sources.ts';

const whole = async (name: string): Promise<unknown> =>
  JSON.parse(await readFile(join(import.meta.dirname, 'requests', `${name}.json`), 'utf8'));

function jobOf(source: Source = {}, place = PLACE) {
  const { plan, source: probed } = planned(source);
  return planJob(plan, probed, place);
}

/** Settings of one kind in all outputs that have them. */
function found(request: unknown, name: string): unknown[] {
  if (typeof request !== 'object' || request === null) return [];
  return Object.entries(request).flatMap(([key, value]) => [...(key === name ? [value] : []), ...found(value, name)]);
}

test('a film of 1080p at 30000/1001 frames a second is the whole request of film.json', async () => {
  expect(jobOf().request).toEqual(await whole('film'));
});

test("a phone's upright HLG clip with one channel and an MP4 of its own is the whole request of phone.json", async () => {
  expect(jobOf(PHONE).request).toEqual(await whole('phone'));
});

test('sound alone is the whole request of podcast.json', async () => {
  expect(jobOf(PODCAST).request).toEqual(await whole('podcast'));
});

test("a preset's segments and rate are those of every output, also where the source's rate varies", () => {
  const preset = { ...UHD, segmentSeconds: 4, maxFrameRate: 30 };
  const rate = { num: 60, den: 1 };
  const halved = jobOf({ preset, video: { frameRate: rate, baseRate: rate } }).request;
  expect(found(halved, 'SegmentLength')).toEqual([4]);
  expect(ratesOf(halved)).toEqual(Array(4).fill([60, 2]));
  const varies = { frameRate: { num: 28, den: 1 }, baseRate: rate, constantRate: false };
  expect(ratesOf(jobOf({ preset, video: varies }).request)).toEqual(Array(4).fill([30, 1]));
});

test("every sound is corrected to a preset's loudness, and without one none is", () => {
  const [loud, usual] = [{ ...UHD, loudnessTarget: -16 }, UHD].map((preset) => jobOf({ preset }).request);
  const corrected = {
    Algorithm: 'ITU_BS_1770_3',
    AlgorithmControl: 'CORRECT_AUDIO',
    LoudnessLogging: 'DONT_LOG',
    PeakCalculation: 'TRUE_PEAK',
    TargetLkfs: -16,
    TruePeakLimiterThreshold: -1,
  };
  expect(found(loud, 'AudioNormalizationSettings')).toEqual([corrected, corrected]);
  expect(found(usual, 'AudioNormalizationSettings')).toEqual([]);
});

/** Of the pictures of each stream. */
function ratesOf(request: unknown): unknown[] {
  const streams = found(request, 'H264Settings') as { FramerateNumerator?: number; FramerateDenominator?: number }[];
  return streams.map(({ FramerateNumerator, FramerateDenominator }) => [FramerateNumerator, FramerateDenominator]);
}

test('the name of every file that MediaConvert writes is known before', () => {
  const { renditions, captures } = jobOf(PHONE);
  expect(renditions).toEqual({
    '1440p': 'stream_1440p.cmfv',
    '360p': 'stream_360p.cmfv',
    'audio-128k': 'stream_audio-128k.cmfa',
    'audio-64k': 'stream_audio-64k.cmfa',
    mp4: 'mp4.mp4',
  });
  expect(captures.thumbnail).toEqual(['frame_thumbnail.0000000.jpg', 'frame_thumbnail.0000001.jpg']);
  expect(captures.poster).toHaveLength(50);
  expect(captures.poster?.at(-1)).toBe('frame_poster.0000049.jpg');
  expect(jobOf(PODCAST)).toMatchObject({ renditions: { '128k': 'stream_128k.cmfa' }, captures: {} });
});

test('a film without sound has neither a selector nor outputs of sound', () => {
  const { request, renditions } = jobOf({ audio: null });
  expect(found(request, 'AudioSelectors')).toEqual([]);
  expect(found(request, 'AudioDescriptions')).toEqual([]);
  expect(found(request, 'AudioRenditionSets')).toEqual([]);
  expect(Object.keys(renditions)).toEqual(['1080p', '720p', '480p', '360p']);
});

test('audio tracks are counted from 1 among those of the source, both sides of a recording as one selector', () => {
  const { request } = jobOf({ audio: { index: 2, right: 4, channels: 2 }, audioTracks: [1, 2, 4] });
  expect(found(request, 'Tracks')).toEqual([[2, 3]]);
});

test('a track that the source does not have is an error before anything is submitted', () => {
  expect(() => jobOf({ audioTracks: [3] })).toThrow('Track 1 is not among the audio tracks 3.');
});

test('timing of sound is corrected only for AAC in MP4 or MOV', () => {
  expect(found(jobOf({ audio: { codec: 'ac3' } }).request, 'AudioDurationCorrection')).toEqual([]);
  expect(found(jobOf({ format: 'matroska,webm' }).request, 'AudioDurationCorrection')).toEqual([]);
});

test('interlaced pictures are deinterlaced in every output, and not turned', () => {
  const { request } = jobOf({ video: { combed: 'flagged' } });
  const deinterlacer = { Mode: 'DEINTERLACE', Algorithm: 'INTERPOLATE', Control: 'NORMAL' };
  expect(found(request, 'Deinterlacer')).toEqual(Array(6).fill(deinterlacer));
  expect(found(request, 'Rotate')).toEqual([]);
  const shown = jobOf({ video: { combed: [{ from: 0, to: 1799, first: 'tff' }] } });
  expect(found(shown.request, 'Control')).toEqual(Array(6).fill('FORCE_ALL_FRAMES'));
});

test('HDR10 becomes SDR in every output, with the light that the source names', () => {
  const color = { primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' };
  const { request } = jobOf({ video: { color, light: { brightestPixel: 1200, masteringPeak: undefined } } });
  expect(found(request, 'VideoSelector')).toEqual([
    {
      Rotate: 'AUTO',
      ColorSpace: 'HDR10',
      ColorSpaceUsage: 'FALLBACK',
      Hdr10Metadata: { MaxContentLightLevel: 1200, MaxLuminance: 12_000_000 },
      SampleRange: 'FOLLOW',
    },
  ]);
  expect(found(request, 'ColorCorrector')).toEqual(
    Array(6).fill({
      ColorSpaceConversion: 'FORCE_709',
      HdrToSdrToneMapper: 'VIBRANT',
      SampleRangeConversion: 'LIMITED_RANGE_SQUEEZE',
    }),
  );
});

test.each([
  ['a rate above 60 is halved', { frameRate: { num: 120, den: 1 } }, [120, 2, 120], []],
  [
    'times that vary get the rate on which all of them fall',
    { constantRate: false, frameRate: { num: 247, den: 10 }, baseRate: { num: 30, den: 1 } },
    [30, 1, 60],
    ['the output has 30.00 a second: some are repeated.'],
  ],
  [
    'times that fall on no such rate get the usual one above their average',
    { constantRate: false, frameRate: { num: 287, den: 10 }, baseRate: { num: 90_000, den: 1 } },
    [30, 1, 60],
    ['the output has 30.00 a second: some are repeated, and some may be left out.'],
  ],
  [
    'a base rate below the average is not believed',
    { constantRate: false, frameRate: { num: 247, den: 10 }, baseRate: { num: 15, den: 1 } },
    [25, 1, 50],
    ['the output has 25.00 a second: some are repeated, and some may be left out.'],
  ],
  [
    'an unknown rate is taken as 30',
    { constantRate: false, frameRate: undefined, baseRate: undefined },
    [30, 1, 60],
    ['the output has 30.00 a second: some are repeated, and some may be left out.'],
  ],
])('%s', (_, video, [num, den, gop], warnings) => {
  const { request, warnings: said } = jobOf({ video });
  const [rung] = found(request, 'H264Settings');
  expect(rung).toMatchObject({ FramerateControl: 'SPECIFIED', FramerateNumerator: num, FramerateDenominator: den });
  expect(rung).toMatchObject({ FramerateConversionAlgorithm: 'DUPLICATE_DROP', GopSize: gop });
  expect(said.map(({ code }) => code)).toEqual(warnings.map(() => 'rate_made_constant'));
  expect(said.map(({ message }) => message.split('; ')[1])).toEqual(warnings);
});

test.each([
  [24_000, 1001, 48],
  [25, 1, 50],
  [15, 1, 30],
  [1503, 100, 31],
])('at %i/%i frames a second a group of pictures is %i frames, two seconds or a hair more', (num, den, frames) => {
  const rate = { num, den };
  expect(found(jobOf({ video: { frameRate: rate, baseRate: rate } }).request, 'GopSize')[0]).toBe(frames);
});

test('a re-transcode waits behind uploads, and another attempt is another job to MediaConvert', () => {
  const { request } = jobOf({}, { ...PLACE, purpose: 'retranscode', attempt: 2 });
  expect(request).toMatchObject({ Priority: -10, ClientRequestToken: `${PLACE.jobId}-2` });
});

test('a thumbnail of the first picture is one capture', () => {
  const { captures, request } = jobOf({ ends: { video: 0.04, audio: 0.04, lastFrame: 0.04 } });
  expect(captures.thumbnail).toEqual(['frame_thumbnail.0000000.jpg']);
  expect(found(request, 'FrameCaptureSettings')[0]).toEqual({
    FramerateNumerator: 1,
    FramerateDenominator: 1,
    MaxCaptures: 1,
    Quality: 80,
  });
});

test('an MP4 above its sizes is told as a stream is', () => {
  const { plan, source } = planned(PHONE);
  const { mp4 = expect.fail('no MP4') } = plan;
  const encode = { ...(mp4.encode ?? expect.fail('none of its own')), width: 3840, height: 3840 };
  expect(unfit({ ...plan, mp4: { ...mp4, encode } }, source)).toEqual([
    'an output of 3840x3840 is above its 4096x2160',
  ]);
});

test.each<[string, Source]>([
  ['it turns only progressive pictures of MP4 and MOV', { ...PHONE, format: 'matroska,webm' }],
  [
    'it has no name for SDR of bt2020',
    { video: { color: { primaries: 'bt2020', transfer: 'bt709', matrix: 'bt2020nc' } } },
  ],
  ['it shows black until the picture begins at 2.0 s', { video: { startSeconds: 2 } }],
  ['captions inside its pictures would be lost', { video: { captions: true } }],
  ['it has no mix for 12 channels', { audio: { channels: 12 } }],
  ['an output of 40x20 is below its 32 pixels', { video: { displayed: { width: 40, height: 20 } } }],
  [
    'an output of 5000x1000 is above its 4096x2160',
    {
      preset: { ...UHD, rungs: [{ name: 'wide', shortSide: 4320, maxBitrate: 9e6, audio: '128k' }] },
      video: { displayed: { width: 5000, height: 1000 } },
    },
  ],
  ['it is not known what becomes of recordings that were joined', { ends: { video: 60, audio: 60, joined: true } }],
  [
    'it deinterlaces all pictures or those that say so, and here only some are interlaced',
    {
      video: {
        combed: [
          { from: 0, to: 99, first: 'tff' },
          { from: 500, to: 599, first: 'tff' },
        ],
      },
    },
  ],
])('what MediaConvert would make otherwise is said: %s', (why, source) => {
  const { plan, source: probed } = planned(source);
  expect(unfit(plan, probed)).toContain(why);
});

test('a film, a turned phone clip and sound alone fit', () => {
  for (const source of [{}, PHONE, PODCAST]) {
    const { plan, source: probed } = planned(source);
    expect(unfit(plan, probed)).toEqual([]);
  }
});
