import { JobError } from './job-error.ts';
import { fraction, type ProbedInput, rotationOf, type Track } from './probe.ts';
import type { Input, VideoDescription } from './schema.ts';

/** What an output's pictures become: their rate, their size, and FFmpeg's filters for both. */

export interface Rate {
  num: number;
  den: number;
}

/** The rates to which the mean of a rate that varies is rounded up: https://docs.aws.amazon.com/mediaconvert/latest/ug/using-variable-frame-rate-inputs.html */
const CONSTANT = [1, 5, 10, 15, 24, 30, 50, 60];

/**
 * Output is of a constant rate, always. Outputs of frame captures follow the input.
 * @param number of the output's VideoDescription in the job, from 1, as errors have it
 * @throws JobError where there is nothing to follow
 */
export function rateOf(video: VideoDescription, track: Track, number: number): Rate {
  const {
    framerateControl,
    framerateNumerator: num,
    framerateDenominator: den,
  } = video.codecSettings.h264Settings ?? {};
  if (framerateControl === 'SPECIFIED' && num && den) return { num, den };
  const [average, base] = [fraction(track.avg_frame_rate), fraction(track.r_frame_rate)];
  const known = average ?? base;
  if (!known) {
    throw new JobError(
      1040,
      `You did not specify framerate for Video description [${number}] and there is no input framerate to follow.`,
    );
  }
  if (base && known.num * base.den === base.num * known.den) return known;
  const mean = known.num / known.den;
  return { num: CONSTANT.find((rate) => rate >= mean - 0.005) ?? 60, den: 1 };
}

export interface Turned {
  width: number;
  height: number;
  /** Clockwise degrees. */
  turn: number;
}

/** The picture as it is after the input's settings: square pixels, and turned where the service turns. */
export function turnedSize({ videoSelector }: Input, { format }: ProbedInput, track: Track): Turned {
  const aspect = fraction(track.sample_aspect_ratio) ?? { num: 1, den: 1 };
  const width = Math.round(((track.width ?? 0) * aspect.num) / aspect.den);
  const height = track.height ?? 0;
  const asked = videoSelector?.rotate ?? 'DEGREE_0';
  const isProgressive = track.field_order === undefined || /^(?:progressive|unknown)$/.test(track.field_order);
  // Only MP4 and MOV, and only progressive pictures: https://docs.aws.amazon.com/mediaconvert/latest/ug/auto-rotate.html
  const follows = asked === 'AUTO' && format.startsWith('mov,') && isProgressive;
  const turn = asked === 'AUTO' ? (follows ? rotationOf(track) : 0) : Number(asked.slice(asked.indexOf('_') + 1));
  return turn % 180 === 90 ? { width: height, height: width, turn } : { width, height, turn };
}

/**
 * https://docs.aws.amazon.com/mediaconvert/latest/ug/video-scaling.html. Sizes of FIT are rounded to even numbers, as those of real jobs are.
 * @throws JobError for a derived size that is odd
 */
export function outputSize(video: VideoDescription, input: Turned, number: number): { width: number; height: number } {
  const { scalingBehavior } = video;
  const derived = {
    width: video.width ?? (video.height === undefined ? input.width : (input.width * video.height) / input.height),
    height: video.height ?? (video.width === undefined ? input.height : (input.height * video.width) / input.width),
  };
  const whole = { width: Math.round(derived.width), height: Math.round(derived.height) };
  if (!scalingBehavior.startsWith('FIT')) {
    if (whole.width % 2 === 1 || whole.height % 2 === 1) throw odd(whole, number);
    return whole;
  }
  const most = scalingBehavior === 'FIT_NO_UPSCALE' ? 1 : Number.POSITIVE_INFINITY;
  const factor = Math.min(most, derived.width / input.width, derived.height / input.height);
  const even = (pixels: number) => Math.max(2, Math.floor((pixels * factor + 1e-6) / 2) * 2);
  return { width: even(input.width), height: even(input.height) };
}

function odd({ width, height }: { width: number; height: number }, number: number): JobError {
  const size = `[${width} x ${height}]`;
  return new JobError(
    1040,
    `Invalid resolution ${size}, only even values are supported. video_description [${number}].`,
  );
}

const TURNS: Readonly<Record<number, string>> = { 90: 'transpose=clock', 180: 'hflip,vflip', 270: 'transpose=cclock' };

/** FFmpeg's filters for an output, from the decoded picture on. */
export function filtersOf(
  video: VideoDescription,
  {
    input,
    track,
    size,
    turn,
    tonemaps,
  }: {
    input: Input;
    track: Track;
    size: { width: number; height: number };
    turn: number;
    /** Whether this FFmpeg can convert colours. */
    tonemaps: boolean;
  },
): string[] {
  const { deinterlacer } = video.videoPreprocessors ?? {};
  const { width, height } = size;
  const bars = video.scalingBehavior === 'DEFAULT';
  return [
    ...(deinterlacer
      ? [`bwdif=mode=send_frame:deint=${deinterlacer.control === 'NORMAL' ? 'interlaced' : 'all'}`]
      : []),
    ...(turn in TURNS ? [TURNS[turn] as string] : []),
    ...colors(video, input, track, tonemaps),
    bars
      ? `scale=${width}:${height}:force_original_aspect_ratio=decrease,pad=${width}:${height}:-1:-1`
      : `scale=${width}:${height}`,
    'setsar=1',
    'format=yuv420p',
  ];
}

const HDR: Readonly<Record<string, string>> = { HDR10: 'smpte2084', HLG_2020: 'arib-std-b67' };

/** Only where the input says, or the job says for it, that it is HDR: otherwise the service converts nothing. */
function colors(video: VideoDescription, { videoSelector }: Input, track: Track, tonemaps: boolean): string[] {
  const { colorCorrector } = video.videoPreprocessors ?? {};
  const { colorSpace = 'FOLLOW', colorSpaceUsage } = videoSelector ?? {};
  const named = track.color_transfer === 'unknown' ? undefined : track.color_transfer;
  const transfer = colorSpaceUsage === 'FORCE' ? (HDR[colorSpace] ?? named) : (named ?? HDR[colorSpace]);
  const isHdr = transfer === 'smpte2084' || transfer === 'arib-std-b67';
  const squeezes = colorCorrector?.sampleRangeConversion === 'LIMITED_RANGE_SQUEEZE';
  if (isHdr && tonemaps && colorCorrector?.colorSpaceConversion === 'FORCE_709') {
    const to = 'zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=hable:desat=0';
    return [
      `setparams=color_primaries=bt2020:color_trc=${transfer}:colorspace=bt2020nc`,
      `${to},zscale=t=bt709:m=bt709:r=tv`,
    ];
  }
  return squeezes && track.color_range === 'pc' ? ['scale=in_range=pc:out_range=tv'] : [];
}
