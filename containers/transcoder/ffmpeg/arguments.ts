import { LIMITS } from '../../../core/media/limits.ts';
import {
  type EncodePlan,
  GOP_SECONDS,
  POSTER_FILE,
  SEGMENT_SECONDS,
  THUMBNAIL_FILE,
} from '../../../core/media/plan.ts';
import { confined } from './demuxers.ts';
import {
  audioLabel,
  filterGraph,
  MP4_AUDIO_LABEL,
  MP4_LABEL,
  POSTER_LABEL,
  rungLabel,
  THUMBNAIL_LABEL,
} from './filters.ts';

/**
 * The one command that makes everything but the waveform. Runs with the output directory as its working directory.
 *
 * Every rendition is fMP4 with an edit list for what comes before time zero (AAC priming, the B-frames' delay):
 * `avoid_negative_ts disabled` leaves it to the muxer, which otherwise shifts each stream by another amount.
 */
export function encodeArguments(plan: EncodePlan, source: string, options: { toneMap: boolean }): string[] {
  return [
    ...confined(),
    ...['-max_pixels', String(LIMITS.pixels)],
    ...['-i', source],
    ...['-filter_complex', filterGraph(plan, options.toneMap)],
    ...['-map_metadata', '-1', '-map_chapters', '-1'],
    ...videoOutputs(plan),
    ...audioOutputs(plan),
    ...ownMp4(plan),
    ...picture(plan.thumbnail && THUMBNAIL_LABEL, THUMBNAIL_FILE),
    ...picture(plan.poster && POSTER_LABEL, POSTER_FILE),
  ];
}

const KEEP_TIMES = ['-avoid_negative_ts', 'disabled'];

function videoOutputs(plan: EncodePlan): string[] {
  const rungs = plan.video?.rungs ?? [];
  return rungs.flatMap((rung) => [
    ...['-map', rungLabel(rung.name)],
    ...(rung.name === plan.mp4?.rung ? teeAudio(plan) : []),
    ...x264(plan, rung.maxBitrate),
    ...(rung.name === plan.mp4?.rung ? tee(plan, rung.name) : hls(rung.name)),
  ]);
}

function audioOutputs(plan: EncodePlan): string[] {
  const renditions = plan.audio?.renditions ?? [];
  // What the MP4 shares is written by the tee.
  const apart = renditions.filter((rendition) => !(plan.mp4?.rung && rendition.name === plan.mp4.audio));
  return apart.flatMap((rendition) => [
    ...['-map', audioLabel(rendition.name)],
    ...aac(rendition.bitrate),
    ...hls(rendition.file),
  ]);
}

function x264(plan: EncodePlan, maxBitrate: number): string[] {
  return [
    ...['-c:v', 'libx264', '-preset', 'medium', '-profile:v', 'main', '-pix_fmt', 'yuv420p'],
    ...['-crf', String(plan.crf), '-maxrate:v', String(maxBitrate), '-bufsize:v', String(maxBitrate * 2)],
    // Keyframes at the same times in every rung, and at no others. The millionth makes up for the times' rounding.
    ...['-force_key_frames:v', `expr:gte(t+0.000001,n_forced*${GOP_SECONDS})`],
    ...['-sc_threshold:v', '0', '-g:v', String(GOP_SECONDS * LIMITS.frameRate * 2)],
    ...['-fps_mode:v', 'vfr', '-enc_time_base:v', `1:${plan.video?.timescale ?? 90_000}`],
  ];
}

function aac(bitrate: number): string[] {
  return ['-c:a', 'aac', '-b:a', String(bitrate)];
}

function hlsOptions(name: string): readonly (readonly [string, string])[] {
  return [
    ['hls_time', String(SEGMENT_SECONDS)],
    ['hls_playlist_type', 'vod'],
    ['hls_segment_type', 'fmp4'],
    ['hls_fmp4_init_filename', `${name}_init.mp4`],
    ['hls_segment_filename', `${name}_%03d.m4s`],
  ];
}

function hls(name: string): string[] {
  return [
    ...KEEP_TIMES,
    '-f',
    'hls',
    ...hlsOptions(name).flatMap(([key, value]) => [`-${key}`, value]),
    `${name}.m3u8`,
  ];
}

/** One encode, several files: the rung, the sound that goes with it, and the MP4 of both. */
function tee(plan: EncodePlan, rung: string): string[] {
  const shared = plan.audio?.renditions.find((rendition) => rendition.name === plan.mp4?.audio);
  const slave = (select: string, name: string) => {
    const options = [['f', 'hls'], ['select', select], ['avoid_negative_ts', 'disabled'], ...hlsOptions(name)];
    return `[${options.map(([key, value]) => `${key}=${value}`).join(':')}]${name}.m3u8`;
  };
  const slaves = [
    slave('v', rung),
    ...(shared?.streamed ? [slave('a', shared.file)] : []),
    `[f=mp4:avoid_negative_ts=disabled:movflags=+faststart]${plan.mp4?.file}`,
  ];
  return [...KEEP_TIMES, '-flags', '+global_header', '-f', 'tee', slaves.join('|')];
}

function teeAudio(plan: EncodePlan): string[] {
  const shared = plan.audio?.renditions.find((rendition) => rendition.name === plan.mp4?.audio);
  return shared ? ['-map', audioLabel(shared.name), ...aac(shared.bitrate)] : [];
}

function ownMp4(plan: EncodePlan): string[] {
  if (!plan.mp4?.encode) return [];
  return [
    ...['-map', MP4_LABEL],
    ...(plan.mp4.audio ? ['-map', MP4_AUDIO_LABEL, ...aac(128_000)] : []),
    ...x264(plan, plan.mp4.encode.maxBitrate),
    ...[...KEEP_TIMES, '-movflags', '+faststart', '-f', 'mp4', plan.mp4.file],
  ];
}

function picture(label: string | undefined, file: string): string[] {
  if (label === undefined) return [];
  return ['-map', label, '-frames:v', '1', '-c:v', 'mjpeg', '-q:v', '3', '-f', 'image2', '-update', '1', file];
}
