import { expect, test } from 'vitest';
import { PRESETS, type Preset } from '../../../../core/contracts/presets.ts';
import { planEncode, scratchNeeded } from '../../../../core/media/plan.ts';
import { decodedSize } from '../../../../core/media/plan-outputs.ts';
import type { AudioTrack, MediaProbe, VideoTrack } from '../../../../core/media/probe.ts';

const standard = PRESETS.standard as Preset;
const uhd = PRESETS.uhd as Preset;
const compact = PRESETS.compact as Preset;

const film: VideoTrack = {
  index: 0,
  codec: 'h264',
  coded: { width: 1920, height: 1080 },
  displayed: { width: 1920, height: 1080 },
  pixelFormat: 'yuv420p',
  color: { primaries: undefined, transfer: undefined, matrix: undefined },
  frameRate: { num: 25, den: 1 },
  baseRate: { num: 25, den: 1 },
  constantRate: true,
  interlaced: false,
  startSeconds: 0,
  endSeconds: 60,
};
const sound: AudioTrack = { index: 1, codec: 'aac', channels: 2, sampleRate: 44_100, endSeconds: 60 };
const probe = (video: Partial<VideoTrack> = {}, audio: Partial<AudioTrack> | null = {}): MediaProbe => ({
  format: 'mov,mp4,m4a,3gp,3g2,mj2',
  startSeconds: 0,
  durationSeconds: 60,
  video: { ...film, ...video },
  ...(audio ? { audio: { ...sound, ...audio } } : {}),
  skipped: [],
});
const ends = { video: 60, audio: 60 };

test('an audio file has a waveform, and the reason why it has no pictures', () => {
  const plan = planEncode(
    { format: 'mp3', startSeconds: 0, durationSeconds: 60, audio: sound, skipped: [] },
    standard,
    { audio: 60 },
  );
  expect(plan.kind).toBe('audio');
  expect(plan.waveform).toEqual({ pixelsPerSecond: 20 });
  expect(plan.audio?.renditions).toEqual([
    { name: '128k', file: '128k', bitrate: 128_000, streamed: true },
    { name: '64k', file: '64k', bitrate: 64_000, streamed: true },
  ]);
  expect(plan.skipped).toEqual([
    { what: 'mp4', why: 'The file has no video track.' },
    { what: 'thumbnail', why: 'The file has no video track.' },
    { what: 'poster', why: 'The file has no video track.' },
    { what: 'posterLarge', why: 'The file has no video track.' },
  ]);
});

test("the MP4 has the top rung's video, with the 128k audio even where no rung streams it", () => {
  const plan = planEncode(probe({ displayed: { width: 426, height: 240 } }), standard, ends);
  expect(plan.mp4).toEqual({ file: 'video.mp4', audio: '128k', rung: '240p' });
  expect(plan.audio?.renditions.map(({ name, streamed }) => [name, streamed])).toEqual([
    ['128k', false],
    ['64k', true],
  ]);
});

test('a top rung with a long side above 2400 has an MP4 of its own size', () => {
  const plan = planEncode(probe({ displayed: { width: 3840, height: 2160 } }), uhd, ends);
  expect(plan.mp4).toEqual({
    file: 'video.mp4',
    audio: '128k',
    encode: { width: 2400, height: 1350, maxBitrate: 16_000_000, x264Preset: expect.any(String) },
  });
});

test.each([
  [
    'between the top rung and 2400',
    { width: 2200, height: 1238 },
    { width: 2200, height: 1238, maxBitrate: 6_567_323 },
  ],
  ['above 2400', { width: 3840, height: 2160 }, { width: 2400, height: 1350, maxBitrate: 7_812_500 }],
  ['upright, above 2400', { width: 2160, height: 3840 }, { width: 1350, height: 2400, maxBitrate: 7_812_500 }],
])('a source %s has an MP4 larger than the top rung, by its pixels', (_, displayed, size) => {
  const plan = planEncode(probe({ displayed }), standard, ends);
  expect(plan.mp4).toEqual({ file: 'video.mp4', audio: '128k', encode: { ...size, x264Preset: 'faster' } });
  expect(plan.video && decodedSize(plan.video, plan.mp4)).toEqual(plan.mp4?.encode);
});

test.each([
  ['a source within a tenth of the top rung', { width: 2100, height: 1182 }, standard, '1080p'],
  ['a large source and the preset compact, which is to be cheap', { width: 3840, height: 2160 }, compact, '720p'],
])('%s has an MP4 of the top rung', (_, displayed, preset, rung) => {
  const plan = planEncode(probe({ displayed }), preset, ends);
  expect(plan.mp4).toEqual({ file: 'video.mp4', audio: '128k', rung });
  expect(plan.video && decodedSize(plan.video, plan.mp4)).toEqual(plan.video?.rungs[0]);
});

test('the preview is made of the 720p rung, or of the highest below it', () => {
  expect(planEncode(probe(), standard, ends).preview).toEqual({ rung: '720p', audio: '128k', seconds: 30 });
  const small = planEncode(probe({ displayed: { width: 640, height: 360 } }, null), standard, ends);
  expect(small.preview).toEqual({ rung: '360p', seconds: 30 });
});

test('the poster is chosen among fifty frames of the whole, in two sizes, the thumbnail taken at a tenth', () => {
  const plan = planEncode(probe(), standard, ends);
  expect(plan.poster).toEqual({ width: 320, height: 180, everySeconds: 1.2, candidates: 50 });
  expect(plan.posterLarge).toEqual({ rung: '1080p' });
  expect(plan.thumbnail).toEqual({ width: 1280, height: 720, atSeconds: 6, rung: '720p' });
});

test('a video of one frame has its thumbnail at the start', () => {
  expect(planEncode(probe(), standard, { video: 0.04, audio: 0.04 }).thumbnail?.atSeconds).toBe(0);
});

test.each<[string, Partial<VideoTrack>, object]>([
  ['25 frames per second fall on whole ticks', {}, { timescale: 12_800, lastFrameSeconds: 0.04 }],
  [
    'so do 23.976',
    { frameRate: { num: 24_000, den: 1001 }, baseRate: { num: 24_000, den: 1001 } },
    { timescale: 24_000 },
  ],
  [
    '120 become 60',
    { frameRate: { num: 120, den: 1 }, baseRate: { num: 120, den: 1 } },
    { retime: { num: 120, den: 2 }, timescale: 15_360 },
  ],
  ['100 become 50', { frameRate: { num: 100, den: 1 } }, { retime: { num: 100, den: 2 } }],
  ['64 become 32', { frameRate: { num: 64, den: 1 } }, { retime: { num: 64, den: 2 } }],
  ['125 become a third of it', { frameRate: { num: 125, den: 1 } }, { retime: { num: 125, den: 3 } }],
  ['59.94 stay', { frameRate: { num: 60_000, den: 1001 } }, { frameRate: { num: 60_000, den: 1001 } }],
  [
    'of 8K, as many pictures are decoded as three hours of 60 a second have',
    { coded: { width: 7680, height: 4320 } },
    { mostPictures: 602_816 },
  ],
  ['a variable rate has a clock of 90 kHz', { constantRate: false }, { timescale: 90_000 }],
  [
    'one that begins much later repeats it until then, and the rest keeps its times',
    { startSeconds: 0.6, constantRate: false, frameRate: { num: 17, den: 1 }, baseRate: { num: 30, den: 1 } },
    { lead: 0.6, timescale: 90_000 },
  ],
])('%s', (_, track, expected) => {
  expect(planEncode(probe(track), standard, ends).video).toMatchObject(expected);
});

test('a rate of up to half a frame above 60 is kept, and a higher one is halved', () => {
  const retime = (frameRate: VideoTrack['frameRate']) => planEncode(probe({ frameRate }), standard, ends).video?.retime;
  expect(retime({ num: 605, den: 10 })).toBeUndefined();
  expect(retime({ num: 606, den: 10 })).toEqual({ num: 606, den: 20 });
});

test("a preset's rate is kept to, and its segments are those of the plan", () => {
  const preset = { ...standard, maxFrameRate: 30, segmentSeconds: 4 };
  const of = (num: number, den = 1) => planEncode(probe({ frameRate: { num, den } }), preset, ends);
  expect([of(50), of(60), of(30_000, 1001), of(60_000, 1001), of(100)].map(({ video }) => video?.retime)).toEqual([
    ...[{ num: 50, den: 2 }, { num: 60, den: 2 }, undefined, { num: 60_000, den: 2002 }, { num: 100, den: 4 }],
  ]);
  expect(of(25)).toMatchObject({ segmentSeconds: 4, video: { maxFrameRate: 30 } });
});

test('an MP4 fits into 3840x2160, whatever its shape', () => {
  const of = (width: number, height: number, mp4LongSide: number) =>
    planEncode(probe({ displayed: { width, height } }), { ...standard, mp4LongSide }, ends).mp4?.encode;
  expect(of(4000, 4000, 3840)).toMatchObject({ width: 2160, height: 2160 });
  expect(of(3000, 4000, 3840)).toMatchObject({ width: 2160, height: 2880 });
  expect(of(4000, 4000, 2400)).toMatchObject({ width: 2160, height: 2160 });
  expect(of(3840, 2160, 3840)).toMatchObject({ width: 3840, height: 2160 });
});

test.each<[string, Partial<VideoTrack>]>([
  ['a track that begins a little late', { startSeconds: 0.021 }],
  ['one that begins late and does not say its rate', { startSeconds: 0.6, frameRate: undefined }],
])('%s has no frames added', (_, track) => {
  expect(planEncode(probe(track), standard, ends).video?.lead).toBeUndefined();
});

test('a step of the clock is a jump from 10 s on, and where a track stands still for longer, from that on', () => {
  expect(planEncode(probe(), standard, ends).jumpSeconds).toBe(10);
  expect(planEncode(probe(), standard, { ...ends, pause: 12.04 }).jumpSeconds).toBe(14);
});

test.each([
  [1, 48_000, 1, 48_000],
  [2, 44_100, 2, 44_100],
  [6, 96_000, 2, 48_000],
  [1, 16_000, 1, 48_000],
])('%i channels at %i Hz become %i at %i', (channels, sampleRate, toChannels, toRate) => {
  expect(planEncode(probe({}, { channels, sampleRate }), standard, ends).audio).toMatchObject({
    channels: toChannels,
    sampleRate: toRate,
  });
});

test('the disk must have room for what the bit rate caps allow', () => {
  // 9,000,000 bit/s of rungs, 192,000 of sound, twice 5,128,000 of MP4, for 60 s, 5 % more, and 16 MiB.
  expect(planEncode(probe(), standard, ends).worstCaseBytes).toBe(169_930_216);
});

test("a measured beginning of a track is preferred to the container's", () => {
  expect(planEncode(probe(), standard, { ...ends, videoStart: 5.023 }).video).toMatchObject({ lead: 5.023 });
});

test('a picture may stand as long as the film does', () => {
  const ticks = (video: number) =>
    planEncode(probe({ constantRate: false }), standard, { ...ends, video }).video?.timescale;
  expect([ticks(23_860), ticks(23_861), ticks(86_400)]).toEqual([90_000, 24_000, 24_000]);
});

test('only codecs with many frames in a packet may lose some of them', () => {
  const packed = (codec: string) => planEncode(probe({}, { codec }), standard, ends).audio?.packed;
  expect(['amr_nb', 'amr_wb', 'eac3', 'opus', 'aac'].map(packed)).toEqual([true, true, true, undefined, undefined]);
});

test('more than two channels are reduced to two, with a note that says how', () => {
  expect(planEncode(probe({}, { channels: 2 }), standard, ends).skipped.map(({ what }) => what)).not.toContain(
    'channels',
  );
  expect(planEncode(probe({}, { channels: 6 }), standard, ends).skipped).toContainEqual({
    what: 'channels',
    why: 'Of 6 audio channels two were mixed.',
  });
  expect(planEncode(probe({}, { channels: 9 }), standard, ends).skipped).toContainEqual({
    what: 'channels',
    why: 'Of 9 audio channels the first two were taken.',
  });
});

test('24 h of 1080p may need 205 GiB beside the source, and a source of unknown duration only its own size', () => {
  const size = 2 ** 30;
  const day = { durationSeconds: 86_400, width: 1920, height: 1080 };
  expect(Math.round((scratchNeeded(size, day, standard) - size) / 2 ** 30)).toBe(205);
  expect(scratchNeeded(size, {}, standard)).toBe(size);
  // As the worker's plan has it: the same caps, the same minute.
  const minute = { durationSeconds: 60, width: 1920, height: 1080 };
  expect(scratchNeeded(0, minute, standard)).toBe(planEncode(probe(), standard, ends).worstCaseBytes);
  const large = planEncode(probe({ displayed: { width: 3840, height: 2160 } }), standard, ends);
  expect(scratchNeeded(0, { ...minute, width: 3840, height: 2160 }, standard)).toBe(large.worstCaseBytes);
});
