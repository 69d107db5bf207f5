import type { EncodePlan, VideoPlan } from '../../../core/media/encode-plan.ts';
import { LIMITS } from '../../../core/media/limits.ts';
import { GOP_SECONDS } from '../../../core/media/plan.ts';

/** What encodes the pictures: libx264 on the CPU, or NVENC on a GPU of NVIDIA. */
export type Encoder = 'libx264' | 'h264_nvenc';

export interface Codec {
  maxBitrate: number;
  x264Preset: string;
  /** Of the pictures that it gets: in memory, or in that of the GPU. */
  format: 'yuv420p' | 'cuda';
  /** The MP4 is Main, and so is the rung whose packets it shares; Apple prefers High for streams (authoring specification, 1.4). */
  profile: 'main' | 'high';
  /** Whether x264 is to tell the SSIM of the stream: of one only, because what it says does not name it. */
  measured?: boolean;
}

/** Arguments of one picture stream. Both encoders get the same keyframes, times and cap; NVENC is for a constant rate only. */
export function encoderArguments(encoder: Encoder, plan: EncodePlan, video: VideoPlan, codec: Codec): string[] {
  return [
    ...(encoder === 'libx264' ? x264(plan, video, codec) : nvenc(plan, video, codec)),
    ...['-force_key_frames:v', `expr:${keyframes(plan.chunk?.first ?? 0)}`],
    ...['-fps_mode:v', 'vfr'],
    ...['-bsf:v', encoder === 'libx264' ? `${decodeTimes(video)},${durations(lastFrame(video))}` : durations(ALIKE)],
  ];
}

function x264(
  plan: EncodePlan,
  video: VideoPlan,
  { maxBitrate, x264Preset, format, profile, measured }: Codec,
): string[] {
  return [
    ...['-c:v', 'libx264', '-preset', x264Preset, '-profile:v', profile, '-pix_fmt', format],
    ...['-crf', String(plan.crf), '-maxrate:v', String(maxBitrate), '-bufsize:v', String(maxBitrate * 2)],
    ...[
      '-enc_time_base:v',
      `1:${video.timescale}`,
      '-sc_threshold:v',
      '0',
      '-g:v',
      String(GOP_SECONDS * LIMITS.frameRate * 2),
    ],
    ...(measured ? ['-ssim:v', '1'] : []),
    // x264 chooses the level by it. FFmpeg 7.1 says the clock's ticks instead, and the level is 6.2.
    ...(video.frameRate ? ['-x264-params:v', `fps=${video.frameRate.num}/${video.frameRate.den}`] : []),
  ];
}

/**
 * By how much NVENC's quality value is higher than x264's CRF for about the same picture: 21 is about 27 in the one comparison at hand
 * (CSDN 2018, GTX 1070: VMAF 93.9 and 93.4). Less than that, because a newer encoder's is not known; not calibrated on a GPU.
 */
const CQ_ABOVE_CRF = 4;
/** Frames. */
const LOOKAHEAD = 20;
/** Longer than any stream, because every keyframe is forced: NVENC counts on from its own last one. */
const ENDLESS_GOP = 1_000_000;

/**
 * As `ffmpeg -h encoder=h264_nvenc` of 5.1 and 7.1 has them. Beside -cq FFmpeg drops -bufsize (libavcodec/nvenc.c: "CQ mode shall discard avg
 * bitrate/vbv buffer size and honor only max bitrate"), so it is not given, and the worker measures what came out.
 */
function nvenc({ crf }: EncodePlan, { frameRate }: VideoPlan, { maxBitrate, format, profile }: Codec): string[] {
  return [
    ...['-c:v', 'h264_nvenc', '-gpu:v', 'any', '-preset:v', 'p5', '-tune:v', 'hq', '-profile:v', profile],
    ...['-pix_fmt', format, '-rc:v', 'vbr', '-cq:v', String(crf + CQ_ABOVE_CRF), '-b:v', '0'],
    ...['-maxrate:v', String(maxBitrate), '-spatial-aq:v', '1', '-bf:v', '3', '-b_ref_mode:v', 'middle'],
    // Without these a forced keyframe is no IDR picture, and the lookahead adds keyframes at cuts.
    ...['-forced-idr:v', '1', '-rc-lookahead:v', String(LOOKAHEAD), '-no-scenecut:v', '1'],
    ...['-g:v', String(ENDLESS_GOP)],
    // By its inverse NVENC spends bits and chooses the level, where FFmpeg knows no other rate. FFmpeg 7.1 takes no -r with -fps_mode vfr.
    ...['-enc_time_base:v', frameRate ? `${frameRate.den}:${frameRate.num}` : '-1'],
  ];
}

/**
 * Forces a keyframe at the first frame of every two seconds, the same in every rung, and at no other frame. Across a gap FFmpeg's own
 * example, which counts the keyframes, would force one at each frame until it has caught up. The millionth compensates for the rounding
 * of times.
 */
function keyframes(first: number): string {
  // FFmpeg counts these times from the first picture that the encoder gets.
  const since = (time: string) => interval(first > 0 ? `${time}+${first.toFixed(9)}` : time);
  return `if(isnan(prev_forced_t),1,gt(${since('t')},${since('prev_forced_t')}))`;
}

function interval(time: string): string {
  return `floor((${time}+0.000001)/${GOP_SECONDS})`;
}

/** `delaySeconds` at most: as many pictures as x264 delays them by, and in seconds. */
const [DELAY_PICTURES, DELAY_SECONDS] = [2, 0.2];

/** How long before it is shown a keyframe is decoded. */
export function delaySeconds({ frameRate }: VideoPlan): number {
  return frameRate ? Math.min((DELAY_PICTURES * frameRate.den) / frameRate.num, DELAY_SECONDS) : DELAY_SECONDS;
}

/**
 * Puts a pause of the picture between the decode times of the pictures beside it. Where pictures are reordered, x264 takes the times of those
 * two pictures earlier, so that the one after a pause would last as long as the pause, and what Media Source Extensions show of the next
 * segments would come later by as much. A keyframe is the first picture of its two seconds, and none that follows is shown before it.
 */
function decodeTimes(video: VideoPlan): string {
  const delay = delaySeconds(video);
  const isKey = `eq(N,0)+gt(${interval('PTS*TB')},${interval('PREV_INPTS*TB')})`;
  const early = `if(${isKey},PTS-${delay.toFixed(6)}/TB,DTS)`;
  return `setts=pts=PTS:dts='max(DTS,max(${early},if(eq(N,0),DTS,PREV_OUTDTS+1)))'`;
}

/**
 * Sets each packet's duration to the time until the next packet. Encoders pass on how long a frame is shown, which differs where frames
 * are reordered, and FFmpeg's muxers then move the frames after a long one.
 * @param last of the last packet, in ticks
 */
function durations(last: string): string {
  return `setts=pts=PTS:dts=DTS:duration='if(gt(NEXT_DTS,DTS),NEXT_DTS-DTS,${last})'`;
}

function lastFrame({ lastFrameSeconds }: VideoPlan): string {
  return `${lastFrameSeconds.toFixed(6)}/TB`;
}

/**
 * NVENC's pictures have a constant rate, without pauses. TB would be wrong here: in FFmpeg 5.1 it is the encoder's, which for NVENC is a
 * frame, and the times are the muxer's. x264 is given that of the muxer.
 */
const ALIKE = 'if(gt(PREV_OUTDURATION,0),PREV_OUTDURATION,DURATION)';
