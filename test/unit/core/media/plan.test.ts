import { expect, test } from 'vitest';
import { planEncode } from '../../../../core/media/plan.ts';
import { PRESETS, type Preset } from '../../../../core/media/presets.ts';
import type { AudioTrack, MediaProbe, VideoTrack } from '../../../../core/media/probe.ts';

const standard = PRESETS.standard as Preset;
const uhd = PRESETS.uhd as Preset;

const film: VideoTrack = {
  index: 0,
  codec: 'h264',
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
  durationSeconds: 60,
  video: { ...film, ...video },
  ...(audio ? { audio: { ...sound, ...audio } } : {}),
});
const ends = { video: 60, audio: 60 };

test('a film is planned as tasks, each with its inputs, outputs and marker', () => {
  const { tasks } = planEncode(probe({ displayed: { width: 640, height: 360 } }), standard, ends);
  expect(tasks).toEqual([
    {
      name: 'encode',
      inputs: ['source'],
      outputs: ['360p.m3u8', 'audio-64k.m3u8', 'video.mp4', 'poster.jpg', 'thumbnail.jpg'],
      done: 'encode.done.json',
    },
    {
      name: 'verify',
      inputs: ['360p.m3u8', 'audio-64k.m3u8', 'video.mp4', 'poster.jpg', 'thumbnail.jpg'],
      outputs: [],
      done: 'verify.done.json',
    },
    {
      name: 'preview',
      inputs: ['360p.m3u8', 'audio-64k.m3u8'],
      outputs: ['preview/preview.m3u8'],
      done: 'preview.done.json',
    },
  ]);
});

test('sound alone has a waveform, and says why it has no pictures', () => {
  const plan = planEncode({ format: 'mp3', durationSeconds: 60, audio: sound }, standard, { audio: 60 });
  expect(plan.kind).toBe('audio');
  expect(plan.tasks.map(({ name }) => name)).toEqual(['encode', 'waveform', 'verify', 'preview']);
  expect(plan.audio?.renditions).toEqual([
    { name: '128k', file: '128k', bitrate: 128_000, streamed: true },
    { name: '64k', file: '64k', bitrate: 64_000, streamed: true },
  ]);
  expect(plan.skipped).toEqual([
    { what: 'mp4', why: 'The file has no video track.' },
    { what: 'poster', why: 'The file has no video track.' },
    { what: 'thumbnail', why: 'The file has no video track.' },
  ]);
});

test('the MP4 shares the top rung, with the 128k sound even where no rung streams it', () => {
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

test('the preview is made of the 720p rung, or of the highest below it', () => {
  expect(planEncode(probe(), standard, ends).preview).toEqual({ rung: '720p', audio: '128k', seconds: 30 });
  const small = planEncode(probe({ displayed: { width: 640, height: 360 } }, null), standard, ends);
  expect(small.preview).toEqual({ rung: '360p', seconds: 30 });
});

test('the poster is chosen among fifty frames of the whole, the thumbnail taken at a tenth', () => {
  const plan = planEncode(probe(), standard, ends);
  expect(plan.poster).toEqual({ width: 320, height: 180, everySeconds: 1.2, candidates: 50 });
  expect(plan.thumbnail).toEqual({ width: 1280, height: 720, atSeconds: 6, rung: '720p' });
});

test('a film of one frame has its thumbnail at the start', () => {
  expect(planEncode(probe(), standard, { video: 0.04, audio: 0.04 }).thumbnail?.atSeconds).toBe(0);
});

test.each<[string, Partial<VideoTrack>, object]>([
  ['25 frames per second fall on whole ticks', {}, { timescale: 12_800, irregular: false, lastFrameSeconds: 0.04 }],
  [
    'so do 23.976',
    { frameRate: { num: 24_000, den: 1001 }, baseRate: { num: 24_000, den: 1001 } },
    { timescale: 24_000, irregular: false },
  ],
  [
    '120 become 60',
    { frameRate: { num: 120, den: 1 }, baseRate: { num: 120, den: 1 } },
    { retime: { num: 120, den: 2 }, irregular: false, timescale: 15_360 },
  ],
  ['100 become 50', { frameRate: { num: 100, den: 1 } }, { retime: { num: 100, den: 2 } }],
  ['59.94 stay', { frameRate: { num: 60_000, den: 1001 } }, { frameRate: { num: 60_000, den: 1001 } }],
  ['a variable rate has a clock of 90 kHz', { constantRate: false }, { timescale: 90_000, irregular: true }],
  [
    'a track that begins a little late holds its first frame',
    { startSeconds: 0.021 },
    { holdSeconds: 0.021, irregular: true },
  ],
  [
    'one that begins much later repeats it',
    { startSeconds: 0.6, constantRate: false, frameRate: { num: 17, den: 1 }, baseRate: { num: 30, den: 1 } },
    { holdSeconds: 0, retime: { num: 30, den: 1 }, irregular: false },
  ],
])('%s', (_, track, expected) => {
  expect(planEncode(probe(track), standard, ends).video).toMatchObject(expected);
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

test('the disk has to hold what the caps allow', () => {
  // 9,000,000 bit/s of rungs, 192,000 of sound, twice 5,128,000 of MP4, for 60 s, 5 % more, and 16 MiB.
  expect(planEncode(probe(), standard, ends).worstCaseBytes).toBe(169_930_216);
});
