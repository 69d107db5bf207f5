import { expect, test } from 'vitest';
import { FfprobeOutput, interpretProbe } from '../../../../core/media/probe.ts';

const video = {
  index: 0,
  codec_type: 'video',
  codec_name: 'h264',
  width: 1280,
  height: 720,
  avg_frame_rate: '25/1',
  r_frame_rate: '25/1',
};
const audio = { index: 1, codec_type: 'audio', codec_name: 'aac', channels: 2, sample_rate: '48000' };
const interpret = (streams: object[], format: object = {}) =>
  interpretProbe(FfprobeOutput.parse({ streams, format: { format_name: 'matroska,webm', ...format } }));

test('the audio track that is marked as default is taken, else the first', () => {
  const other = { ...audio, index: 2, codec_name: 'ac3' };
  expect(interpret([video, audio, other]).audio?.index).toBe(1);
  expect(interpret([video, audio, { ...other, disposition: { default: 1 } }]).audio?.index).toBe(2);
});

test('a cover picture is not video', () => {
  const cover = { ...video, codec_name: 'png', disposition: { attached_pic: 1 } };
  expect(interpret([cover, audio]).video).toBeUndefined();
  expect(() => interpret([cover])).toThrow(expect.objectContaining({ code: 'no_tracks' }));
});

test('an audio track without a packet is as good as none', () => {
  expect(interpret([video, { ...audio, nb_frames: '0' }]).audio).toBeUndefined();
});

test('times count from the start of the file', () => {
  const streams = [
    { ...video, start_time: '1.480000', duration: '10.0' },
    { ...audio, start_time: '1.400000', duration: '10.2' },
  ];
  const probe = interpret(streams, { start_time: '1.400000' });
  expect(probe.video?.startSeconds).toBeCloseTo(0.08);
  expect(probe.video?.endSeconds).toBeCloseTo(10.08);
  expect(probe.audio?.endSeconds).toBeCloseTo(10.2);
});

test('rotation and wide pixels change the displayed size', () => {
  const turned = { ...video, side_data_list: [{ side_data_type: 'Display Matrix', rotation: -90 }] };
  expect(interpret([turned]).video?.displayed).toEqual({ width: 720, height: 1280 });
  expect(interpret([{ ...video, sample_aspect_ratio: '4:3' }]).video?.displayed).toEqual({ width: 1707, height: 720 });
});

test('an unknown aspect ratio, colour or rate is none', () => {
  const vague = {
    ...video,
    sample_aspect_ratio: '0:1',
    color_space: 'unknown',
    avg_frame_rate: '0/0',
    r_frame_rate: '0/0',
  };
  const found = interpret([vague]).video;
  expect(found?.displayed).toEqual({ width: 1280, height: 720 });
  expect(found?.color.matrix).toBeUndefined();
  expect(found?.frameRate).toBeUndefined();
  expect(found?.constantRate).toBe(false);
});

test.each([
  ['limit_pixels', [{ ...video, width: 30_000, height: 30_000 }], {}],
  ['limit_pixels', [{ ...video, width: 17_000, height: 100 }], {}],
  ['limit_tracks', Array.from({ length: 65 }, (_, index) => ({ ...audio, index })), {}],
  ['limit_duration', [audio], { duration: '86401.0' }],
  ['corrupt', [{ ...video, width: 0, height: 0 }], {}],
  ['no_tracks', [{ index: 0, codec_type: 'subtitle', codec_name: 'subrip' }], {}],
])('%s', (code, streams, format) => {
  expect(() => interpret(streams, format)).toThrow(expect.objectContaining({ code }));
});

test('DCI 8K and a day are within the limits', () => {
  expect(interpret([{ ...video, width: 8192, height: 4320 }], { duration: '86400.0' }).durationSeconds).toBe(86_400);
});
