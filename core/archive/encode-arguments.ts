import { ARCHIVE_PRESETS, type ArchivePolicy } from '../contracts/archive.ts';
import type { ArchiveEncoder } from './fitness.ts';
import { staticHdr } from './hdr.ts';
import { type Description, isRebuilt, type Stream, videosOf } from './inspection.ts';
import { bibliographic } from './languages.ts';

type Settings = Pick<ArchivePolicy, 'quality' | 'preset'>;

/** SVT-AV1's presets at the places of x265's: `bench/archive.ts` compares them. */
const SVT_PRESETS = [12, 10, 9, 8, 6, 4] as const;
/** SVT-AV1's scale ends at 63, x265's at 51; crf 24 there looks as 32 here. */
const SVT_CRF_OFFSET = 8;
/** p1 to p7, nvEncodeAPI.h. */
const NVENC_PRESETS = ['p1', 'p3', 'p4', 'p5', 'p6', 'p7'] as const;
const QSV_PRESETS = ['veryfast', 'veryfast', 'faster', 'fast', 'medium', 'slow'] as const;

/** What hardware takes in the place of a format, with the same samples in another order: `ffmpeg -h encoder=…` of 5.1 and 7.1. */
const HARDWARE_FORMATS: { [Encoder in ArchiveEncoder]?: Readonly<Record<string, string>> } = {
  hevc_nvenc: { yuv420p10le: 'p010le' },
  hevc_qsv: { yuv420p: 'nv12', yuv420p10le: 'p010le' },
};

/** Options of the picture's encoder, without stream specifiers. */
function encoderOptions(
  encoder: ArchiveEncoder,
  { quality, preset }: Settings,
  description: Description,
): readonly [option: string, value: string][] {
  const place = ARCHIVE_PRESETS.indexOf(preset);
  if (encoder === 'libx265') {
    return [
      ['preset', preset],
      ['crf', String(quality)],
      ['x265-params', x265Parameters(description)],
    ];
  }
  if (encoder === 'libsvtav1') {
    return [
      ['preset', String(SVT_PRESETS[place])],
      ['crf', String(quality + SVT_CRF_OFFSET)],
    ];
  }
  if (encoder === 'hevc_nvenc') {
    return [
      ['preset', NVENC_PRESETS[place] ?? 'p5'],
      ['rc', 'vbr'],
      ['cq', String(quality)],
      ['b', '0'],
    ];
  }
  return [
    ['preset', QSV_PRESETS[place] ?? 'medium'],
    ['global_quality', String(quality)],
  ];
}

/** FFmpeg before 7.0 gives x265 no mastering data; later ones give it the same. */
function x265Parameters(description: Description): string {
  const hdr = staticHdr(description);
  if (hdr === undefined || hdr === 'invalid') return 'log-level=error';
  const { masterDisplay, maxCll } = hdr;
  const values = [masterDisplay && `master-display=${masterDisplay}`, maxCll && `max-cll=${maxCll}`];
  return ['log-level=error', 'hdr10=1', 'repeat-headers=1', ...values.filter(Boolean)].join(':');
}

/**
 * Arguments of the one encode: its picture is encoded, everything else is copied or written anew from the same values. Its times are exact
 * only with all three of passthrough, the source's clock for the encoder and for the track (measured: docs/archive.md).
 * @param input @param output names that FFmpeg opens
 */
export function encodeArguments(
  description: Description,
  settings: Settings & { encoder: ArchiveEncoder },
  { input, output, before }: { input: string; output: string; before: readonly string[] },
): string[] {
  const carried = description.streams.filter((stream) => !isRebuilt(stream, description));
  const [video] = videosOf(description);
  if (!video) throw new Error('whyUnfit refuses files without a picture.');
  const isQuickTime = description.format.tags.major_brand?.startsWith('qt') ?? false;
  // The picture's place among the video tracks of the output: a cover may come before it.
  const place = carried.filter(({ codec_type }) => codec_type === 'video').indexOf(video);
  const { pix_fmt = 'yuv420p' } = video;
  const format = HARDWARE_FORMATS[settings.encoder]?.[pix_fmt] ?? pix_fmt;
  const options = encoderOptions(settings.encoder, settings, description);
  const tag = settings.encoder === 'libsvtav1' ? 'av01' : 'hvc1';
  return [
    ...['-noautorotate', '-xerror', '-err_detect', 'explode', ...before, '-i', input],
    ...carried.flatMap(({ index }) => ['-map', `0:${index}`]),
    ...['-c', 'copy', `-c:v:${place}`, settings.encoder, `-pix_fmt:v:${place}`, format],
    ...options.flatMap(([option, value]) => [`-${option}:v:${place}`, value]),
    ...[`-tag:v:${place}`, tag],
    ...['-map_metadata', '0', '-map_chapters', '0'],
    ...(isQuickTime ? languages(carried) : []),
    ...['-movflags', `+faststart${hasReversedKeys(description) ? '+use_metadata_tags' : ''}`],
    // Else the source's brands are copied as tags, and read back in the place of the file's own.
    ...['major_brand', 'minor_version', 'compatible_brands'].flatMap((name) => ['-metadata', `${name}=`]),
    ...['-fps_mode', 'passthrough', '-enc_time_base', '-1', '-video_track_timescale', denominator(video)],
    ...['-f', isQuickTime ? 'mov' : 'mp4', output],
  ];
}

function denominator({ time_base }: Stream): string {
  return time_base.split('/')[1] ?? '90000';
}

/** Keys such as com.apple.quicktime.make, for which the old atoms have no place. With the option, common players miss the title. */
function hasReversedKeys({ format }: Description): boolean {
  return Object.keys(format.tags).some((name) => name.includes('.'));
}

/** QuickTime's muxer knows languages by their bibliographic codes, and drops `deu`. */
function languages(carried: readonly Stream[]): string[] {
  return carried.flatMap(({ tags: { language } }, i) =>
    language === undefined || language === bibliographic(language)
      ? []
      : [`-metadata:s:${i}`, `language=${bibliographic(language)}`],
  );
}
