import { expect, test } from 'vitest';
import { encodeArguments } from '../../../../core/archive/encode-arguments.ts';
import { type ArchiveEncoder, chooseEncoder, whyUnfit } from '../../../../core/archive/fitness.ts';
import { Description } from '../../../../core/archive/inspection.ts';

const VIDEO = {
  ...{ index: 0, codec_type: 'video', codec_name: 'h264', codec_tag_string: 'avc1', width: 1920, height: 1080 },
  ...{ pix_fmt: 'yuv420p', field_order: 'progressive', time_base: '1/90000', nb_frames: '100' },
};
const SOUND = { index: 1, codec_type: 'audio', codec_name: 'aac', codec_tag_string: 'mp4a' };
/** As FFmpeg 7.1 prints it of a file of HDR10. */
const MASTERING = {
  side_data_type: 'Mastering display metadata',
  ...{ red_x: '34000/50000', red_y: '16000/50000', green_x: '13250/50000', green_y: '34500/50000' },
  ...{ blue_x: '7500/50000', blue_y: '3000/50000', white_point_x: '15635/50000', white_point_y: '16450/50000' },
  ...{ min_luminance: '1/10000', max_luminance: '10000000/10000' },
};
const LIGHT = { side_data_type: 'Content light level metadata', max_content: 1000, max_average: 400 };
const PQ = { pix_fmt: 'yuv420p10le', color_transfer: 'smpte2084', color_space: 'bt2020nc', color_primaries: 'bt2020' };

interface Parts {
  video?: object;
  more?: object[];
  format?: string;
  frames?: object[];
  chapters?: object[];
  tags?: Record<string, string>;
}

const file = ({ video = {}, more = [SOUND], format, frames = [], chapters = [], tags = {} }: Parts = {}) =>
  Description.parse({
    streams: [{ ...VIDEO, ...video }, ...more],
    format: { format_name: format ?? 'mov,mp4,m4a,3gp,3g2,mj2', duration: '4', tags },
    ...{ chapters, frames },
  });
const data = (tag: string, index = 2) => ({ index, codec_type: 'data', codec_tag_string: tag });

test.each<[string, Parts, string | undefined]>([
  ['H.264 with sound', {}, undefined],
  ['10-bit H.264', { video: { pix_fmt: 'yuv422p10le' } }, undefined],
  ['Matroska', { format: 'matroska,webm' }, 'container'],
  ['HEVC', { video: { codec_name: 'hevc' } }, 'codec'],
  ['ProRes', { video: { codec_name: 'prores' } }, 'codec'],
  ['an encrypted sound', { more: [{ ...SOUND, codec_tag_string: 'enca' }] }, 'encrypted'],
  ['two pictures', { more: [{ ...VIDEO, index: 1 }] }, 'several_videos'],
  ['a cover', { more: [{ ...VIDEO, index: 1, codec_name: 'png', disposition: { attached_pic: 1 } }] }, undefined],
  ['alpha', { video: { pix_fmt: 'yuva420p' } }, 'alpha'],
  ['interlaced pictures', { video: { field_order: 'tt' } }, 'interlaced'],
  ['Dolby Vision', { video: { side_data_list: [{ side_data_type: 'DOVI configuration record' }] } }, 'dynamic_hdr'],
  [
    'HDR10+',
    { video: PQ, frames: [{ side_data_list: [{ side_data_type: 'HDR Dynamic Metadata SMPTE2094-40 (HDR10+)' }] }] },
    'dynamic_hdr',
  ],
  ['HDR10', { video: PQ, frames: [{ side_data_list: [MASTERING, LIGHT] }] }, undefined],
  ['PQ without mastering data', { video: PQ }, 'hdr_values'],
  ['HLG', { video: { ...PQ, color_transfer: 'arib-std-b67' } }, undefined],
  [
    'mastering data without sense',
    { video: PQ, frames: [{ side_data_list: [{ ...MASTERING, red_x: '0/0' }] }] },
    'hdr_values',
  ],
  ['an unusual format', { video: { pix_fmt: 'gray10le' } }, 'pixel_format'],
  ['telemetry of GoPro', { more: [SOUND, data('gpmd')] }, undefined],
  ['telemetry of Sony', { more: [SOUND, data('rtmd')] }, 'data_track'],
  ['an attachment', { more: [{ index: 1, codec_type: 'attachment' }] }, 'data_track'],
  ['titles of chapters', { more: [data('text')], chapters: [{ start_time: '0', end_time: '1' }] }, undefined],
  ['a text track without chapters', { more: [data('text')] }, 'data_track'],
  ['a timecode', { more: [data('tmcd')] }, undefined],
  ['a timecode that changes', { more: [{ ...data('tmcd'), nb_frames: '2' }] }, 'timecode'],
  ['a timecode of one value', { more: [{ ...data('tmcd'), nb_frames: '1' }] }, undefined],
  ['pictures of 360°', { video: { side_data_list: [{ side_data_type: 'Spherical Mapping' }] } }, 'spherical'],
  ['pictures of 3D', { frames: [{ side_data_list: [{ side_data_type: 'Stereo 3D' }] }] }, 'spherical'],
  ['two timecodes', { more: [data('tmcd'), data('tmcd', 3)] }, 'timecode'],
])('with x265, a file with %s', (_, parts, reason) => {
  expect(whyUnfit(file(parts), 'libx265')?.reason).toBe(reason);
});

test.each<[string, Parts, string | undefined]>([
  ['10-bit 4:2:0', { video: { pix_fmt: 'yuv420p10le' } }, undefined],
  ['4:2:2', { video: { pix_fmt: 'yuv422p' } }, 'pixel_format'],
  ['full range', { video: { color_range: 'pc' } }, 'pixel_format'],
  ['full range by its old name', { video: { pix_fmt: 'yuvj420p' } }, 'pixel_format'],
  ['HDR10', { video: PQ, frames: [{ side_data_list: [MASTERING] }] }, 'hdr_values'],
])('with SVT-AV1, a file with %s', (_, parts, reason) => {
  expect(whyUnfit(file(parts), 'libsvtav1')?.reason).toBe(reason);
});

test.each<[ArchiveEncoder[], Parts, ArchiveEncoder | undefined]>([
  [['hevc_qsv', 'libx265'], {}, 'hevc_qsv'],
  [['hevc_qsv', 'libx265'], { video: { pix_fmt: 'yuv422p10le' } }, 'libx265'],
  [['hevc_nvenc', 'libx265'], { video: PQ, frames: [{ side_data_list: [MASTERING] }] }, 'libx265'],
  [['hevc_nvenc'], { video: { pix_fmt: 'yuv422p10le' } }, 'hevc_nvenc'],
  [['libsvtav1'], {}, undefined],
])('of %j the first that keeps all is taken', (available, parts, encoder) => {
  expect(chooseEncoder('hevc', available, file(parts))).toBe(encoder);
});

const settings = { quality: 23, preset: 'veryfast', encoder: 'libx265' } as const;
const names = { input: './a.mp4', output: './b.mp4', before: ['-safe'] };

test('the arguments of an encode: exact times, everything else copied', () => {
  expect(encodeArguments(file({ more: [SOUND, data('tmcd')] }), settings, names).join(' ')).toBe(
    '-noautorotate -xerror -err_detect explode -safe -i ./a.mp4 -map 0:0 -map 0:1 -c copy -c:v:0 libx265 ' +
      '-pix_fmt:v:0 yuv420p -preset:v:0 veryfast -crf:v:0 23 -x265-params:v:0 log-level=error -tag:v:0 hvc1 ' +
      '-map_metadata 0 -map_chapters 0 -movflags +faststart -metadata major_brand= -metadata minor_version= ' +
      '-metadata compatible_brands= -fps_mode passthrough -enc_time_base -1 -video_track_timescale 90000 -f mp4 ./b.mp4',
  );
});

test('HDR10 is handed to x265 in its own units', () => {
  const args = encodeArguments(file({ video: PQ, frames: [{ side_data_list: [MASTERING, LIGHT] }] }), settings, names);
  expect(args[args.indexOf('-x265-params:v:0') + 1]).toBe(
    'log-level=error:hdr10=1:repeat-headers=1:' +
      'master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400',
  );
});

test('QuickTime keeps its format, its keys and languages by their old codes', () => {
  const sound = { ...SOUND, tags: { language: 'deu' } };
  const tags = { major_brand: 'qt  ', 'com.apple.quicktime.make': 'Apple' };
  const args = encodeArguments(file({ more: [sound], tags }), settings, names).join(' ');
  expect(args).toContain('-metadata:s:1 language=ger');
  expect(args).toContain('-movflags +faststart+use_metadata_tags');
  expect(args).toContain('-f mov ./b.mp4');
});

test('with a cover before the picture, the picture is encoded', () => {
  const cover = { ...VIDEO, index: 0, codec_name: 'png', disposition: { attached_pic: 1 } };
  const args = encodeArguments(file({ video: cover, more: [{ ...VIDEO, index: 1 }] }), settings, names).join(' ');
  expect(args).toContain('-map 0:0 -map 0:1 -c copy -c:v:1 libx265');
});

test.each([
  ['libsvtav1', 'medium', '-preset:v:0 6 -crf:v:0 31 -tag:v:0 av01'],
  ['hevc_nvenc', 'medium', '-preset:v:0 p6 -rc:v:0 vbr -cq:v:0 23 -b:v:0 0 -tag:v:0 hvc1'],
  ['hevc_qsv', 'ultrafast', '-preset:v:0 veryfast -global_quality:v:0 23 -tag:v:0 hvc1'],
] as const)('%s at %s has its own options', (encoder, preset, options) => {
  expect(encodeArguments(file(), { quality: 23, preset, encoder }, names).join(' ')).toContain(options);
});

test.each([
  ['hevc_nvenc', 'yuv420p', 'yuv420p'],
  ['hevc_nvenc', 'yuv420p10le', 'p010le'],
  ['hevc_qsv', 'yuv420p', 'nv12'],
  ['hevc_qsv', 'yuv420p10le', 'p010le'],
  ['libx265', 'yuv420p10le', 'yuv420p10le'],
] as const)('%s gets %s as %s', (encoder, pix_fmt, given) => {
  const args = encodeArguments(file({ video: { pix_fmt } }), { quality: 23, preset: 'medium', encoder }, names);
  expect(args[args.indexOf('-pix_fmt:v:0') + 1]).toBe(given);
});
