import type { EncodePlan, VideoPlan } from '../../core/media/encode-plan.ts';
import { GOP_SECONDS } from '../../core/media/plan.ts';
import type { MediaProbe } from '../../core/media/probe.ts';
import { type Size, shortSide } from '../../core/media/size.ts';
import { type OutputRate, perSecond } from './rate.ts';

/** Settings of pictures: what is read of the source, and how each output of it is made. */

/** Demuxers of FFmpeg whose files are MP4 or MOV to MediaConvert too. */
export const isMp4 = ({ format }: Pick<MediaProbe, 'format'>) => format.startsWith('mov,');

/** Of Input: how the pictures are to be understood. */
export function videoSelector(video: VideoPlan, probe: MediaProbe) {
  // Only progressive pictures of MP4 and MOV are turned: https://docs.aws.amazon.com/mediaconvert/latest/ug/auto-rotate.html
  const turns = isMp4(probe) && video.deinterlace.length === 0;
  return {
    ...(turns && { Rotate: 'AUTO' as const }),
    ...colorSpace(video),
    SampleRange: 'FOLLOW' as const,
  };
}

const P3 = { smpte432: 'P3D65_SDR', smpte431: 'P3DCI' } as const;

/** Colours that are converted are named, as far as the source does not name them itself. */
function colorSpace({ color }: VideoPlan) {
  const { convert } = color;
  if (!convert) return { ColorSpace: 'FOLLOW' as const };
  if (convert.transfer === 'arib-std-b67') return { ColorSpace: 'HLG_2020' as const, ColorSpaceUsage: FALLBACK };
  if (convert.toneMap) {
    const peak = Math.round(convert.toneMap.peak * 100);
    return {
      ColorSpace: 'HDR10' as const,
      ColorSpaceUsage: FALLBACK,
      // In units of a candela, and of its ten-thousandth part.
      Hdr10Metadata: { MaxContentLightLevel: peak, MaxLuminance: peak * 10_000 },
    };
  }
  const wide = P3[convert.primaries as keyof typeof P3];
  return wide ? { ColorSpace: wide, ColorSpaceUsage: FALLBACK } : { ColorSpace: 'FOLLOW' as const };
}

const FALLBACK = 'FALLBACK' as const;

/** Of every output with pictures, frame captures included. */
export function preprocessors({ color, deinterlace }: VideoPlan) {
  return {
    ColorCorrector: {
      ...(color.convert && { ColorSpaceConversion: 'FORCE_709' as const }),
      ...(color.convert?.toneMap && { HdrToSdrToneMapper: toneMapper(color.convert.transfer) }),
      // Does nothing to a limited range.
      SampleRangeConversion: 'LIMITED_RANGE_SQUEEZE' as const,
    },
    ...(deinterlace.length > 0 && {
      Deinterlacer: {
        Mode: 'DEINTERLACE' as const,
        Algorithm: 'INTERPOLATE' as const,
        // Where the pictures show what their flags do not say.
        Control: deinterlace === 'flagged' ? ('NORMAL' as const) : ('FORCE_ALL_FRAMES' as const),
      },
    }),
  };
}

/** MediaConvert's model recommends `VIBRANT` for HDR10, and always takes the other one for HLG. */
const toneMapper = (transfer: string | undefined) =>
  transfer === 'arib-std-b67' ? ('PRESERVE_DETAILS' as const) : ('VIBRANT' as const);

/** Of a rung, or of the MP4 that is encoded by itself. */
export function h264(plan: EncodePlan, video: VideoPlan, { size, rate, maxBitrate, profile }: H264Output) {
  return {
    ...box(size),
    VideoPreprocessors: preprocessors(video),
    CodecSettings: {
      Codec: 'H_264' as const,
      H264Settings: {
        RateControlMode: 'QVBR' as const,
        QvbrSettings: { QvbrQualityLevel: qualityLevel(size, plan.crf) },
        MaxBitrate: maxBitrate,
        HrdBufferSize: maxBitrate * 2,
        QualityTuningLevel: 'SINGLE_PASS_HQ' as const,
        // Adds no keyframes: with MinIInterval 0 they come at the cadence only.
        SceneChangeDetect: 'TRANSITION_DETECTION' as const,
        CodecProfile: profile,
        CodecLevel: 'AUTO' as const,
        EntropyEncoding: 'CABAC' as const,
        InterlaceMode: 'PROGRESSIVE' as const,
        ...framerate(rate),
        ParControl: 'SPECIFIED' as const,
        ParNumerator: 1,
        ParDenominator: 1,
        GopSizeUnits: 'FRAMES' as const,
        GopSize: gopFrames(rate),
        GopClosedCadence: 1,
        MinIInterval: 0,
        WriteMp4PackagingType: 'AVC1' as const,
      },
    },
    ColorMetadata: 'INSERT' as const,
    TimecodeInsertion: 'DISABLED' as const,
    RespondToAfd: 'NONE' as const,
    AfdSignaling: 'NONE' as const,
  };
}

export interface H264Output {
  size: Size;
  rate: OutputRate;
  /** Bits per second. */
  maxBitrate: number;
  profile: 'MAIN' | 'HIGH';
}

/** The plan has chosen the size; the source is not enlarged even where it is smaller than it says. */
export function box({ width, height }: Size) {
  return { Width: width, Height: height, ScalingBehavior: 'FIT_NO_UPSCALE' as const };
}

function framerate({ rate, isSet }: OutputRate) {
  if (!isSet) return { FramerateControl: 'INITIALIZE_FROM_SOURCE' as const };
  return {
    FramerateControl: 'SPECIFIED' as const,
    FramerateNumerator: rate.num,
    FramerateDenominator: rate.den,
    FramerateConversionAlgorithm: 'DUPLICATE_DROP' as const,
  };
}

/** Rounded up: of groups that were shorter than two seconds by a hair, a segment of six would take four instead of three. */
function gopFrames({ rate }: OutputRate): number {
  return Math.ceil(GOP_SECONDS * perSecond(rate) - 1e-9);
}

/** The CRF of the standard preset. */
const USUAL_CRF = 23;

/**
 * AWS's advice for the usual sizes; a step for each three of CRF, by which x264 changes about as much as from one level to the next.
 * https://docs.aws.amazon.com/mediaconvert/latest/ug/cbr-vbr-qvbr.html
 */
function qualityLevel(size: Size, crf: number): number {
  const usual = shortSide(size) >= 720 ? 8 : 7;
  return Math.min(10, Math.max(1, usual + Math.round((USUAL_CRF - crf) / 3)));
}
