import type { ArchivePolicy, ArchiveReason, ArchiveRefusal } from '../contracts/archive.ts';
import { hasDynamicHdr, staticHdr } from './hdr.ts';
import { type Description, isRebuilt, type Stream, sideDataOf, videosOf } from './inspection.ts';

/** FFmpeg's encoders, in the order of preference for each codec: the hardware's are the quicker ones. */
export const ARCHIVE_ENCODERS = {
  hevc: ['hevc_qsv', 'hevc_nvenc', 'libx265'],
  av1: ['libsvtav1'],
} as const satisfies Record<ArchivePolicy['codec'], readonly string[]>;
export type ArchiveEncoder = (typeof ARCHIVE_ENCODERS)[ArchivePolicy['codec']][number];

/** Sample entries of encrypted tracks: Common Encryption (ISO/IEC 23001-7), FairPlay. */
const ENCRYPTED = /^(?:enc[avts]|drm[smit])$/;
const ALPHA = /^(?:yuva|rgba|argb|bgra|abgr|gbrap|ya\d)/;
/** Formats of H.264 that x265 encodes as they are; a build may lack some. */
const X265_FORMATS = /^yuvj?4(?:20|22|44)p(?:10le|12le)?$/;
/** SVT-AV1 takes others, and full range, without a word, and writes 4:2:0 with limited range: findings of docs/archive.md. */
const PLAIN_FORMATS = /^yuv420p(?:10le)?$/;

/** Whether an encoder writes the pictures as they are. */
function holds(encoder: ArchiveEncoder, { pix_fmt = '', color_range }: Stream): boolean {
  if (encoder === 'libx265') return X265_FORMATS.test(pix_fmt);
  return PLAIN_FORMATS.test(pix_fmt) && color_range !== 'pc';
}

/** FFmpeg's names of side data that its muxer writes with `-strict unofficial` only: libavformat/movenc.c, sv3d and st3d. */
const LAYOUTS: ReadonlySet<string> = new Set(['Spherical Mapping', 'Stereo 3D']);

/** The first of the encoders that are there which keeps what the picture has; the last of them where none does. */
export function chooseEncoder(
  codec: ArchivePolicy['codec'],
  available: readonly ArchiveEncoder[],
  description: Description,
): ArchiveEncoder | undefined {
  const there = ARCHIVE_ENCODERS[codec].filter((encoder) => available.includes(encoder));
  const [video] = videosOf(description);
  return there.find((encoder) => video && isFit(encoder, video, description)) ?? there.at(-1);
}

function isFit(encoder: ArchiveEncoder, video: Stream, description: Description): boolean {
  return holds(encoder, video) && (encoder === 'libx265' || staticHdr(description) === undefined);
}

/** Why a file keeps its original before anything is encoded: what cannot be carried, or is not worth it. */
export function whyUnfit(description: Description, encoder: ArchiveEncoder): ArchiveRefusal | undefined {
  const { streams, format } = description;
  if (!format.format_name.startsWith('mov,')) return refusal('container', `It is ${format.format_name}.`);
  const encrypted = streams.find(({ codec_tag_string }) => ENCRYPTED.test(codec_tag_string));
  if (encrypted) return refusal('encrypted', `Track ${encrypted.index} is ${encrypted.codec_tag_string}.`);
  const [video, second] = videosOf(description);
  if (!video) return refusal('not_readable', 'It has no track of moving pictures.');
  if (second) return refusal('several_videos', `Tracks ${video.index} and ${second.index} are moving pictures.`);
  if (video.codec_name !== 'h264')
    return refusal('codec', `The picture is ${video.codec_name ?? 'of no known codec'}.`);
  return whyPictureUnfit(video, description, encoder) ?? whyTracksUnfit(description);
}

function whyPictureUnfit(video: Stream, description: Description, encoder: ArchiveEncoder): ArchiveRefusal | undefined {
  if (ALPHA.test(video.pix_fmt ?? '')) return refusal('alpha', `The pictures are ${video.pix_fmt}.`);
  if (/^(?:tt|bb|tb|bt)$/.test(video.field_order ?? '')) {
    return refusal('interlaced', `The field order is ${video.field_order}.`);
  }
  if (hasDynamicHdr(description)) return refusal('dynamic_hdr', 'The first pictures or the track have such data.');
  const layout = sideDataOf(description).find(({ side_data_type }) => LAYOUTS.has(side_data_type));
  if (layout) return refusal('spherical', `It has ${layout.side_data_type}.`);
  const hdr = staticHdr(description);
  if (hdr === 'invalid') return refusal('hdr_values', 'The mastering data of HDR10 makes no sense.');
  // FFmpeg before 6.1 does not read those of an H.264 stream, so that they would be lost without a word.
  if (hdr === undefined && video.color_transfer === 'smpte2084') {
    return refusal('hdr_values', 'The pictures are HDR (PQ), and FFmpeg finds no mastering data.');
  }
  if (hdr && encoder !== 'libx265') return refusal('hdr_values', `${encoder} does not write them.`);
  if (!holds(encoder, video)) {
    const range = video.color_range === 'pc' ? ' with full range' : '';
    return refusal(
      'pixel_format',
      `The pictures are ${video.pix_fmt ?? 'of no known format'}${range}; the encoder is ${encoder}.`,
    );
  }
  return undefined;
}

/** GoPro's telemetry, the only kind of data that FFmpeg copies into MP4 and QuickTime so that it can be read again. */
const CARRIED_DATA = 'gpmd';

function whyTracksUnfit(description: Description): ArchiveRefusal | undefined {
  const { streams } = description;
  const unknown = streams.find(
    (stream) =>
      !['video', 'audio', 'subtitle'].includes(stream.codec_type) &&
      stream.codec_tag_string !== CARRIED_DATA &&
      !isRebuilt(stream, description),
  );
  if (unknown) {
    return refusal('data_track', `Track ${unknown.index} is ${unknown.codec_type} ${unknown.codec_tag_string}.`);
  }
  const timecodes = streams.filter(({ codec_tag_string }) => codec_tag_string === 'tmcd');
  if (timecodes.length > 1) return refusal('timecode', `There are ${timecodes.length} of them.`);
  // The muxer writes the first value only.
  const changing = timecodes.find(({ nb_frames = 1 }) => nb_frames > 1);
  return changing && refusal('timecode', `Track ${changing.index} has ${changing.nb_frames} values.`);
}

export function refusal(reason: ArchiveReason, detail: string): ArchiveRefusal {
  return { reason, detail };
}
