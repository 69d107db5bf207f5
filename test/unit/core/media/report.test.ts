import { expect, it } from 'vitest';
import { FfprobeOutput } from '../../../../core/media/ffprobe.ts';
import { interpretProbe } from '../../../../core/media/probe.ts';
import { audioTracksOf, extraWarnings, sourceReport } from '../../../../core/media/report.ts';

const video = { index: 0, codec_type: 'video', codec_name: 'h264', width: 640, height: 360, sample_rate: 1e300 };
const reportOf = (streams: object[]) => {
  const output = FfprobeOutput.parse({ streams, format: { format_name: 'matroska,webm' } });
  return sourceReport(output, interpretProbe(output, { isDecodable: () => true }));
};

it('at most 50 tracks are listed, and the others are counted', () => {
  const fonts = Array.from({ length: 70 }, (_, i) => ({ index: i + 1, codec_type: 'attachment' }));
  const { tracks, moreTracks } = reportOf([video, ...fonts]);
  expect([tracks?.length, moreTracks]).toEqual([50, 21]);
});

it('the audio tracks are counted behind the 50th track too', () => {
  const fonts = Array.from({ length: 50 }, (_, i) => ({ index: i + 1, codec_type: 'attachment' }));
  const sounds = [51, 52].map((index) => ({ index, codec_type: 'audio', codec_name: 'aac' }));
  const output = FfprobeOutput.parse({ streams: [video, ...fonts, ...sounds], format: { format_name: 'matroska' } });
  expect(audioTracksOf(output)).toEqual([51, 52]);
});

it('numbers that no table takes, and languages longer than any, are left out', () => {
  const odd = { index: 1, codec_type: 'audio', codec_name: 'aac', channels: 2, sample_rate: 48_000 };
  const { tracks } = reportOf([
    video,
    odd,
    { ...odd, index: 2, channels: 1e300, tags: { language: `en-${'a1234567-'.repeat(10)}b1234567` } },
    { ...video, index: 3, disposition: { attached_pic: 1 }, width: undefined },
  ]);
  expect(tracks?.slice(2)).toEqual([
    {
      index: 2,
      type: 'audio',
      codec: 'aac',
      sampleRate: 48_000,
      taken: false,
      why: 'Of several audio tracks one is taken.',
    },
    { index: 3, type: 'video', codec: 'h264', height: 360, taken: false, why: 'It is a cover picture.' },
  ]);
});

it('pictures that are meant for a special player are named', () => {
  const of = (...side_data_list: object[]) =>
    extraWarnings(FfprobeOutput.parse({ streams: [{ ...video, side_data_list }], format: { format_name: 'mov,mp4' } }));
  expect(of({ side_data_type: 'Spherical Mapping' }, { side_data_type: 'Stereo 3D', type: 'top and bottom' })).toEqual([
    {
      code: 'extras_dropped',
      message: 'The picture is spherical (360° video), which is not carried: players show it flat.',
    },
    {
      code: 'extras_dropped',
      message: 'The picture is stereoscopic (3D), which is not carried: players show it as it is stored.',
    },
  ]);
  expect(of({ side_data_type: 'Stereo 3D', type: '2D' }, { side_data_type: 'Display Matrix' })).toEqual([]);
});
