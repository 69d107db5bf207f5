import { expect, it } from 'vitest';
import { PRESETS } from '../../../../core/contracts/presets.ts';
import { planEncode } from '../../../../core/media/plan.ts';
import { FfprobeOutput, interpretProbe } from '../../../../core/media/probe.ts';
import { plannedWarnings } from '../../../../core/media/warnings.ts';

const picture = { index: 0, codec_type: 'video', codec_name: 'h264', width: 640, height: 360, avg_frame_rate: '25/1' };
const standard = PRESETS.standard ?? expect.fail('no preset');

function warningsOf(...streams: object[]): [string, string][] {
  const output = FfprobeOutput.parse({ streams, format: { format_name: 'matroska,webm' } });
  const probe = interpretProbe(output, () => true);
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
