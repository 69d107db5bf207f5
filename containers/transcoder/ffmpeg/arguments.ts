import { LIMITS } from '../../../core/media/limits.ts';
import { type EncodePlan, GOP_SECONDS, POSTER_FILE, THUMBNAIL_FILE } from '../../../core/media/plan.ts';
import { wholeName } from '../split.ts';
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

/**
 * The first frame of every two seconds, the same in every rung, and no other. Across a gap FFmpeg's own example, which counts
 * the keyframes, would make one of each frame until it has caught up. The millionth makes up for the rounding of times.
 */
const KEYFRAME = `if(isnan(prev_forced_t),1,gt(${interval('t')},${interval('prev_forced_t')}))`;

function interval(time: string): string {
  return `floor((${time}+0.000001)/${GOP_SECONDS})`;
}

const KEEP_TIMES = ['-avoid_negative_ts', 'disabled'];

function videoOutputs(plan: EncodePlan): string[] {
  const rungs = plan.video?.rungs ?? [];
  return rungs.flatMap((rung) => [
    ...['-map', rungLabel(rung.name)],
    ...(rung.name === plan.mp4?.rung ? teeAudio(plan) : []),
    ...x264(plan, rung),
    ...(rung.name === plan.mp4?.rung ? tee(plan, rung.name) : fragmented('v', rung.name)),
  ]);
}

function audioOutputs(plan: EncodePlan): string[] {
  const renditions = plan.audio?.renditions ?? [];
  // What the MP4 shares is written by the tee.
  const apart = renditions.filter((rendition) => !(plan.mp4?.rung && rendition.name === plan.mp4.audio));
  return apart.flatMap((rendition) => [
    ...['-map', audioLabel(rendition.name)],
    ...aac(rendition.bitrate),
    ...fragmented('a', rendition.file),
  ]);
}

function x264(plan: EncodePlan, { maxBitrate, x264Preset }: { maxBitrate: number; x264Preset: string }): string[] {
  return [
    ...['-c:v', 'libx264', '-preset', x264Preset, '-profile:v', 'main', '-pix_fmt', 'yuv420p'],
    ...['-crf', String(plan.crf), '-maxrate:v', String(maxBitrate), '-bufsize:v', String(maxBitrate * 2)],
    ...['-force_key_frames:v', `expr:${KEYFRAME}`],
    ...['-sc_threshold:v', '0', '-g:v', String(GOP_SECONDS * LIMITS.frameRate * 2)],
    ...['-fps_mode:v', 'vfr', '-enc_time_base:v', `1:${plan.video?.timescale ?? 90_000}`],
    ...(plan.video?.irregular ? ['-bsf:v', durations(plan.video.lastFrameSeconds)] : []),
  ];
}

/**
 * Gives each packet the time until the next as its duration. Encoders pass on how long a frame is shown, which is another
 * thing where frames are reordered: FFmpeg's muxers then move what follows a long frame. The last frame keeps its own.
 */
function durations(lastFrameSeconds: number): string {
  return `setts=pts=PTS:dts=DTS:duration='if(gt(NEXT_DTS,DTS),NEXT_DTS-DTS,${lastFrameSeconds.toFixed(6)}/TB)'`;
}

function aac(bitrate: number): string[] {
  return ['-c:a', 'aac', '-b:a', String(bitrate)];
}

/** A fragment per keyframe, and per second of sound: what splitRendition makes segments of. */
const FRAGMENTS = {
  v: [['movflags', '+frag_keyframe+delay_moov+default_base_moof']],
  a: [
    ['movflags', '+delay_moov+default_base_moof'],
    ['frag_duration', '1000000'],
  ],
} as const;

function fragmented(kind: 'v' | 'a', file: string): string[] {
  return [
    ...KEEP_TIMES,
    '-f',
    'mp4',
    ...FRAGMENTS[kind].flatMap(([key, value]) => [`-${key}`, value]),
    wholeName(file),
  ];
}

/** One encode, several files: the rung, the sound that goes with it, and the MP4 of both. */
function tee(plan: EncodePlan, rung: string): string[] {
  const shared = plan.audio?.renditions.find((rendition) => rendition.name === plan.mp4?.audio);
  const slave = (select: 'v' | 'a', file: string) => {
    const options = [['f', 'mp4'], ['select', select], ['avoid_negative_ts', 'disabled'], ...FRAGMENTS[select]];
    return `[${options.map(([key, value]) => `${key}=${value}`).join(':')}]${wholeName(file)}`;
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
    ...x264(plan, plan.mp4.encode),
    ...[...KEEP_TIMES, '-movflags', '+faststart', '-f', 'mp4', plan.mp4.file],
  ];
}

function picture(label: string | undefined, file: string): string[] {
  if (label === undefined) return [];
  // Two frames, the second over the first: see filters.ts. Their times are no reason to repeat one.
  const frames = ['-map', label, '-frames:v', '2', '-fps_mode:v', 'passthrough'];
  return [...frames, '-c:v', 'mjpeg', '-q:v', '3', '-f', 'image2', '-update', '1', file];
}
