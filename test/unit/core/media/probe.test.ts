import { expect, test } from 'vitest';
import { FfprobeOutput } from '../../../../core/media/ffprobe.ts';
import {
  checkLateness,
  checkPictures,
  checkWork,
  interpretProbe,
  type VideoTrack,
} from '../../../../core/media/probe.ts';

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
const interpret = (
  streams: object[],
  format: object = {},
  { empty = [] as number[], programs = [] as object[] } = {},
) =>
  interpretProbe(FfprobeOutput.parse({ streams, programs, format: { format_name: 'matroska,webm', ...format } }), {
    isDecodable: (codec) => codec !== 'apac',
    empty: new Set(empty),
  });

test('a picture that its container crops is shown in the size that is left, turned and stretched as it is', () => {
  const crop = { side_data_type: 'Frame Cropping', crop_top: 8, crop_bottom: 0, crop_left: 20, crop_right: 12 };
  const turned = { side_data_type: 'Display Matrix', rotation: -90 };
  const of = (...side_data_list: object[]) => interpret([{ ...video, height: 728, side_data_list }]).video;
  expect(of(crop)).toMatchObject({ coded: { width: 1280, height: 728 }, displayed: { width: 1248, height: 720 } });
  expect(of(crop, turned)?.displayed).toEqual({ width: 720, height: 1248 });
});

test('the default audio track is selected, or else the first', () => {
  const other = { ...audio, index: 2, codec_name: 'ac3' };
  expect(interpret([video, audio, other]).audio?.index).toBe(1);
  expect(interpret([video, audio, { ...other, disposition: { default: 1 } }]).audio?.index).toBe(2);
});

test('sound for some listeners is not taken where there is other sound, unless it alone is marked as default', () => {
  const blind = { ...audio, index: 1, disposition: { visual_impaired: 1, descriptions: 1 } };
  const main = { ...audio, index: 2 };
  const comment = { ...audio, index: 3, disposition: { comment: 1 } };
  expect(interpret([video, blind, main, comment]).audio?.index).toBe(2);
  expect(interpret([video, blind, comment]).audio?.index).toBe(1);
  expect(interpret([video, main, { ...comment, disposition: { comment: 1, default: 1 } }]).audio?.index).toBe(3);
  // MP4 marks all tracks that are enabled.
  const enabled = { ...blind, disposition: { ...blind.disposition, default: 1 } };
  expect(interpret([video, enabled, { ...main, disposition: { default: 1 } }]).audio?.index).toBe(2);
});

test('sound is taken from the programme of the picture', () => {
  const streams = [audio, { ...video, index: 0 }, { ...audio, index: 2 }];
  const programs = [{ streams: [{ index: 1 }] }, { streams: [{ index: 0 }, { index: 2 }] }];
  const probeOf = (given: object[]) =>
    interpretProbe(FfprobeOutput.parse({ streams, programs: given, format: { format_name: 'mpegts' } }), {
      isDecodable: () => true,
    });
  expect(probeOf([]).audio?.index).toBe(1);
  expect(probeOf(programs).audio?.index).toBe(2);
  expect(probeOf(programs).skipped).toEqual([
    { what: 'audio track 1', why: 'It belongs to another programme than the picture.' },
  ]);
  expect(probeOf([{ streams: [{ index: 0 }] }, { streams: [{ index: 1 }] }]).audio?.index).toBe(1);
});

test('a transport stream begins with the first track that is taken, and other files with the first of all', () => {
  const streams = [
    { ...video, start_time: '3.423222' },
    { ...audio, start_time: '3.4' },
    { ...audio, index: 2, start_time: '1.4' },
  ];
  const start = (format_name: string) => {
    const { startSeconds, video } = interpret(streams, { format_name, start_time: '1.4' });
    return [startSeconds, video?.startSeconds.toFixed(3)];
  };
  expect(start('mpegts')).toEqual([3.4, '0.023']);
  expect(start('matroska,webm')).toEqual([1.4, '2.023']);
});

test('a cover picture is not a video track', () => {
  const cover = { ...video, codec_name: 'png', disposition: { attached_pic: 1 } };
  expect(interpret([cover, audio]).video).toBeUndefined();
  expect(() => interpret([cover])).toThrow(expect.objectContaining({ code: 'no_tracks' }));
});

test('the default video track is selected, or else the first', () => {
  const other = { ...video, index: 2 };
  expect(interpret([video, other]).video?.index).toBe(0);
  expect(interpret([video, { ...other, disposition: { default: 1 } }]).video?.index).toBe(2);
  expect(interpret([video, { ...other, disposition: { default: 1, attached_pic: 1 } }]).video?.index).toBe(0);
});

test('sound is taken of the programme that the picture belongs to', () => {
  const programs = [{ streams: [{ index: 0 }, { index: 5 }] }, { streams: [{ index: 1 }] }];
  const own = { ...audio, index: 5, channels: 1 };
  const other = { ...audio, channels: 1, disposition: { default: 1 } };
  const found = interpret([video, other, own], {}, { programs });
  expect(found.audio).toMatchObject({ index: 5, channels: 1 });
  expect(found.skipped).toEqual([{ what: 'audio track 1', why: 'It belongs to another programme than the picture.' }]);
});

test('a track that is announced and empty, or not described, gives way to another', () => {
  const mute = interpret([video, audio], {}, { empty: [1] });
  expect([mute.audio, mute.skipped]).toEqual([undefined, [{ what: 'audio track 1', why: 'It is empty.' }]]);
  expect(interpret([video, audio, { ...audio, index: 2 }], {}, { empty: [1] }).audio?.index).toBe(2);
  expect(interpret([video, audio], {}, { empty: [0] })).toMatchObject({ audio: { index: 1 }, skipped: [{}] });
  const dark = interpret([{ ...video, width: 0, height: 0 }, audio]);
  expect([dark.video, dark.skipped]).toEqual([
    undefined,
    [
      {
        what: 'video track 0',
        why: 'It does not state the size of its pictures, and nothing of it could be read in the first 90 s or 64 MiB.',
      },
    ],
  ]);
  expect(interpret([video, { ...audio, sample_rate: '0' }]).audio).toBeUndefined();
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

test('an unknown aspect ratio, colour or rate is left out', () => {
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
  ['corrupt', [{ ...audio, sample_rate: '0' }], {}],
  ['no_tracks', [{ index: 0, codec_type: 'subtitle', codec_name: 'subrip' }], {}],
])('%s', (code, streams, format) => {
  expect(() => interpret(streams, format)).toThrow(expect.objectContaining({ code }));
});

test('DCI 8K and a day are within the limits', () => {
  expect(interpret([{ ...video, width: 8192, height: 4320 }], { duration: '86400.0' }).durationSeconds).toBe(86_400);
});

test.each([
  ['24 h of 1440p60', 2560, 1440, 60, 24, null],
  ['24 h of 8K at a frame an hour', 7680, 4320, 1 / 3600, 24, null],
  ['2 h of 8K60', 7680, 4320, 60, 2, null],
  ['4 h of 8K60', 7680, 4320, 60, 4, 'limit_duration'],
  ['a day of 8K60', 7680, 4320, 60, 24, 'limit_duration'],
])('the cost of decoding is limited: %s', (_, width, height, rate, hours, code) => {
  const frameRate = rate >= 1 ? { num: rate, den: 1 } : { num: 1, den: Math.round(1 / rate) };
  const track = { coded: { width, height }, frameRate } as VideoTrack;
  const check = () => checkWork(track, hours * 3600);
  if (code === null) expect(check).not.toThrow();
  else expect(check).toThrow(expect.objectContaining({ code }));
});

test('video may begin up to twelve hours late', () => {
  expect(() => checkLateness(43_200)).not.toThrow();
  expect(() => checkLateness(43_201)).toThrow(expect.objectContaining({ code: 'limit_duration' }));
});

test('no more pictures are decoded than the limit allows, whatever rate the file has said', () => {
  expect(() => checkPictures(600, { mostPictures: 600 })).not.toThrow();
  expect(() => checkPictures(601, { mostPictures: 600 })).toThrow(expect.objectContaining({ code: 'limit_duration' }));
});

test.each([
  ['Common Encryption', { codec_tag_string: 'encv' }],
  ['FairPlay', { codec_tag_string: 'drmi' }],
  ['a Matroska track with a key', { tags: { enc_key_id: 'MDEyMzQ1Njc4OWFiY2RlZg==' } }],
])('%s is encrypted', (_, more) => {
  expect(() => interpret([{ ...video, ...more }])).toThrow(expect.objectContaining({ code: 'encrypted' }));
});

test.each([
  [10, 'corrupt'],
  [999, 'corrupt'],
])('audio of %i Hz is %s', (rate, code) => {
  expect(() => interpret([{ ...audio, sample_rate: String(rate) }])).toThrow(expect.objectContaining({ code }));
});

test('more channels of sound than a decoder takes are refused', () => {
  expect(interpret([{ ...audio, channels: 64 }]).audio?.channels).toBe(64);
  expect(() => interpret([{ ...audio, channels: 65 }])).toThrow(expect.objectContaining({ code: 'limit_tracks' }));
});

test('a video with a displayed size beyond the limits is refused', () => {
  const wide = { ...video, sample_aspect_ratio: '2000000000:1' };
  expect(() => interpret([wide])).toThrow(expect.objectContaining({ code: 'limit_pixels' }));
});

test('a transport stream is not refused for the difference between its times', () => {
  expect(interpret([video], { format_name: 'mpegts', duration: '95443.7' }).durationSeconds).toBe(95_443.7);
});

test('attachments, their pictures and subtitles do not count as tracks', () => {
  const fonts = Array.from({ length: 70 }, (_, i) => ({ index: i + 2, codec_type: 'attachment' }));
  expect(interpret([video, audio, ...fonts]).video?.index).toBe(0);
  const covers = fonts.map(({ index }) => ({ ...video, index, disposition: { attached_pic: 1 } }));
  expect(interpret([video, audio, ...covers]).video?.index).toBe(0);
  const audios = Array.from({ length: 64 }, (_, i) => ({ ...audio, index: i + 1 }));
  expect(() => interpret([video, ...audios])).toThrow(expect.objectContaining({ code: 'limit_tracks' }));
});

test('Dolby Vision without a base layer that others can show is refused', () => {
  const dolby = (dv_bl_signal_compatibility_id: number) => ({
    ...video,
    side_data_list: [{ dv_profile: 5, dv_bl_signal_compatibility_id }],
  });
  expect(() => interpret([dolby(0)])).toThrow(expect.objectContaining({ code: 'unsupported_codec' }));
  expect(interpret([dolby(1)]).video?.index).toBe(0);
});

test('languages are named as HLS names them', () => {
  const language = (tag?: string) => interpret([{ ...audio, tags: { language: tag } }]).audio?.language;
  expect(['ger', 'deu', 'de', 'eng', 'pt-BR'].map(language)).toEqual(['de', 'de', 'de', 'en', 'pt-BR']);
  expect([undefined, 'und', 'mul', 'zxx', '```', 'x'.repeat(400)].map(language)).toEqual(Array(6).fill(undefined));
});

test('a track with a decoder is taken before one without, and what is left is named', () => {
  const apac = { ...audio, index: 2, codec_name: 'apac', disposition: { default: 1 } };
  expect(interpret([video, audio, apac])).toMatchObject({
    audio: { index: 1 },
    skipped: [{ what: 'audio track 2', why: 'No decoder here reads the codec apac.' }],
  });
  const unknown = { ...video, codec_name: undefined };
  expect(interpret([unknown, { ...video, index: 3 }, audio])).toMatchObject({
    video: { index: 3 },
    skipped: [{ what: 'video track 0', why: 'No decoder here reads a codec that FFmpeg does not support.' }],
  });
  const mute = interpret([video, apac]);
  expect([mute.audio, mute.skipped.length]).toEqual([undefined, 1]);
  for (const streams of [[unknown, audio], [apac]]) {
    expect(() => interpret(streams)).toThrow(expect.objectContaining({ code: 'unsupported_codec' }));
  }
  expect(interpret([video, audio, { ...audio, index: 2 }]).skipped).toEqual([
    { what: 'audio track 2', why: 'Of several audio tracks one is taken.' },
  ]);
});

test.each([
  [
    'AC-4 of a transport stream, which older FFmpeg takes for data',
    { codec_type: 'data', codec_name: 'bin_data', codec_tag_string: 'AC-4' },
    'ac4',
  ],
  ['AC-4 of an MP4', { codec_name: 'unknown', codec_tag_string: 'ac-4' }, 'ac-4'],
  ['MPEG-H, which FFmpeg takes for MP3', { codec_name: 'mp3', codec_tag_string: '-[0][0][0]' }, 'mpegh_3d_audio'],
  ["MPEG-H's auxiliary stream", { codec_name: 'mp3', codec_tag_string: '.[0][0][0]' }, 'mpegh_3d_audio'],
])('%s is refused by its name, and leaves a mute video', (_, said, name) => {
  const known = { isDecodable: (codec: string) => ['h264', 'mp3'].includes(codec) };
  const probe = (streams: object[]) =>
    interpretProbe(FfprobeOutput.parse({ streams, format: { format_name: 'mpegts' } }), known);
  const sound = { ...audio, ...said };
  const message = `No decoder here reads the codec ${name}.`;
  expect(() => probe([sound])).toThrow(expect.objectContaining({ code: 'unsupported_codec', message }));
  const { audio: taken, skipped } = probe([video, sound]);
  expect({ taken, skipped }).toEqual({ taken: undefined, skipped: [{ what: 'audio track 1', why: message }] });
});
