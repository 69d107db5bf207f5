import { expect, it } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import { FfprobeOutput } from '../../../../core/media/ffprobe.ts';
import { planEncode } from '../../../../core/media/plan.ts';
import { interpretProbe } from '../../../../core/media/probe.ts';
import { lateWarnings, plannedWarnings } from '../../../../core/media/warnings.ts';

const picture = { index: 0, codec_type: 'video', codec_name: 'h264', width: 640, height: 360, avg_frame_rate: '25/1' };
const standard = PRESETS.standard ?? expect.fail('no preset');

function warningsOf(...streams: object[]): [string, string][] {
  const output = FfprobeOutput.parse({ streams, format: { format_name: 'matroska,webm' } });
  const probe = interpretProbe(output, { isDecodable: () => true });
  const warnings = plannedWarnings(probe, planEncode(probe, standard, { video: 1, audio: 1 }));
  return warnings.map(({ code, message }) => [code, message]);
}

it('pictures beyond 60 a second are left out with a warning', () => {
  expect(warningsOf({ ...picture, avg_frame_rate: '60/1' })).toEqual([]);
  expect(warningsOf({ ...picture, avg_frame_rate: '120000/1001' })).toEqual([
    ['rate_reduced', 'Of 119.88 pictures a second 59.94 are kept.'],
  ]);
});

it('colours are guessed where some are named and others are not', () => {
  const named = { color_primaries: 'bt709', color_transfer: 'bt709', color_space: 'bt709' };
  expect(warningsOf({ ...picture, ...named })).toEqual([]);
  expect(warningsOf({ ...picture, color_space: 'gbr' })).toEqual([]);
  expect(warningsOf({ ...picture, ...named, color_primaries: 'unknown', color_transfer: 'unknown' })).toEqual([
    [
      'colors_guessed',
      'The source names some of its colours, and not its primaries and transfer: usual values are assumed.',
    ],
  ]);
});

it('sound of more than two channels is reduced with a warning', () => {
  const sound = { index: 1, codec_type: 'audio', codec_name: 'aac', channels: 6, sample_rate: 48_000 };
  expect(warningsOf(picture, sound)).toEqual([['channels_reduced', 'Of 6 audio channels two were mixed.']]);
});

it('pictures with an alpha channel lose it with a warning', () => {
  const lost = [['alpha_dropped', 'The pictures have an alpha channel, which is not carried.']];
  expect(warningsOf({ ...picture, pix_fmt: 'yuva444p12le' })).toEqual(lost);
  expect(warningsOf({ ...picture, pix_fmt: 'yuv420p', tags: { alpha_mode: '1' } })).toEqual(lost);
  expect(warningsOf({ ...picture, pix_fmt: 'bgra', codec_name: 'gif' })).toEqual([]);
});

it('tracks that begin after what is read to find tracks are left out with a warning', () => {
  const late = [{ type: 'audio', at: 96.4 }, { type: 'subtitle' }, { type: 'data', at: 100 }];
  expect(lateWarnings(late, { startSeconds: 1.4 }, { joined: false })).toEqual([
    {
      code: 'track_skipped',
      at: 95,
      message: 'A track of type audio begins at 95.0 s, after the part that is read to find tracks: it was not taken.',
    },
    {
      code: 'subtitles_dropped',
      message: 'A track of type subtitle begins late, after the part that is read to find tracks: it was not taken.',
    },
    {
      code: 'extras_dropped',
      at: 98.6,
      message: 'A track of type data begins at 98.6 s, after the part that is read to find tracks: it was not taken.',
    },
  ]);
  expect(lateWarnings([{ type: 'video', at: 9 }], { startSeconds: 0 }, { joined: true })[0]?.at).toBeUndefined();
});
