import type { AudioPlan, AudioRendition } from '../../core/media/encode-plan.ts';
import type { MediaProbe } from '../../core/media/probe.ts';
import { isMp4 } from './video-settings.ts';

/** Settings of sound: which tracks are read, and how each rendition is made. */

/** The selector's name, as the console makes it. */
const SOUND = 'Audio Selector 1';

/**
 * Of Input. MediaConvert counts audio tracks from 1.
 * @param tracks FFmpeg's indices of the source's audio tracks, in their order
 * @throws Error where the plan's track is not among them: MediaConvert fails the whole job for one that it does not find
 */
export function audioSelectors(audio: AudioPlan | undefined, probe: MediaProbe, tracks: readonly number[]) {
  if (!audio) return {};
  const number = (index: number) => {
    const at = tracks.indexOf(index);
    if (at < 0) throw new Error(`Track ${index} is not among the audio tracks ${tracks.join(', ')}.`);
    return at + 1;
  };
  const taken = [audio.track, ...(audio.right === undefined ? [] : [audio.right])].map(number);
  // Corrects sound whose frames say other times than the index: for AAC in MP4 and MOV only.
  const corrects = isMp4(probe) && probe.audio?.codec === 'aac';
  return {
    AudioSelectors: {
      [SOUND]: {
        SelectorType: 'TRACK' as const,
        Tracks: taken,
        DefaultSelection: 'DEFAULT' as const,
        ...(corrects && { AudioDurationCorrection: 'AUTO' as const }),
      },
    },
  };
}

/** Of a rendition's output. */
export function aac(audio: AudioPlan, { bitrate }: AudioRendition) {
  return {
    AudioSourceName: SOUND,
    AudioTypeControl: 'FOLLOW_INPUT' as const,
    ...(audio.language === undefined
      ? { LanguageCodeControl: 'FOLLOW_INPUT' as const }
      : { LanguageCodeControl: 'USE_CONFIGURED' as const, CustomLanguageCode: audio.language }),
    ...(audio.loudnessTarget !== undefined && {
      AudioNormalizationSettings: {
        Algorithm: 'ITU_BS_1770_3' as const,
        AlgorithmControl: 'CORRECT_AUDIO' as const,
        LoudnessLogging: 'DONT_LOG' as const,
        PeakCalculation: 'TRUE_PEAK' as const,
        TargetLkfs: audio.loudnessTarget,
        TruePeakLimiterThreshold: -1,
      },
    }),
    CodecSettings: {
      Codec: 'AAC' as const,
      AacSettings: {
        CodecProfile: 'LC' as const,
        RateControlMode: 'CBR' as const,
        CodingMode: audio.channels === 1 ? ('CODING_MODE_1_0' as const) : ('CODING_MODE_2_0' as const),
        SampleRate: audio.sampleRate,
        Bitrate: bitrate,
        RawFormat: 'NONE' as const,
        Specification: 'MPEG4' as const,
      },
    },
  };
}
