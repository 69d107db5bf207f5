import { LEVELS } from './levels.ts';
import type { Fault } from './refusal.ts';
import type { H264Settings, VideoDescription } from './schema.ts';

/** What the service checks of H.264 between its settings. The texts are of jobs that it refused in 2025, where no other source is named. */

export function h264Faults(video: VideoDescription, path: string): Fault[] {
  const { h264Settings: settings } = video.codecSettings;
  if (!settings) return [];
  const at = `${path}/codecSettings/h264Settings`;
  return [
    ...rateFaults(settings, at),
    ...entropyFaults(settings, at),
    ...quantizationFaults(settings, at),
    ...levelFaults(video, settings, { path, at }),
  ];
}

const RATES_CLASH =
  'Your job contains values for the following settings that are incompatible: Rate control mode, Bitrate, and Max bitrate.';

function rateFaults(settings: H264Settings, at: string): Fault[] {
  const { rateControlMode: mode, bitrate, maxBitrate, qvbrSettings, qualityTuningLevel } = settings;
  const isRight = {
    QVBR: maxBitrate !== undefined && bitrate === undefined,
    CBR: bitrate !== undefined && maxBitrate === undefined,
    VBR: bitrate !== undefined,
  };
  return [
    ...(isRight[mode] ? [] : [{ path: at, text: RATES_CLASH }]),
    // From here on the model's documentation says it, and the texts are guesses.
    ...(qvbrSettings && mode !== 'QVBR' ? [{ path: `${at}/rateControlMode`, text: 'Must be QVBR' }] : []),
    ...(qvbrSettings?.maxAverageBitrate !== undefined && qualityTuningLevel !== 'MULTI_PASS_HQ'
      ? [{ path: `${at}/qualityTuningLevel`, text: 'Must be MULTI_PASS_HQ' }]
      : []),
  ];
}

function entropyFaults({ codecProfile, entropyEncoding }: H264Settings, at: string): Fault[] {
  if (codecProfile !== 'BASELINE' || entropyEncoding === 'CAVLC') return [];
  const cause = { path: at, text: 'Should match exactly one schema defined in "oneOf"' };
  if (entropyEncoding === undefined) return [cause, { path: at, text: 'entropyEncoding is a required property' }];
  return [cause, { path: `${at}/entropyEncoding`, text: 'Must be CAVLC' }];
}

/** The model: each of the three may be set only where adaptive quantization is not AUTO. The text is a guess. */
function quantizationFaults(settings: H264Settings, at: string): Fault[] {
  const own = ['spatialAdaptiveQuantization', 'temporalAdaptiveQuantization', 'flickerAdaptiveQuantization'] as const;
  if (settings.adaptiveQuantization !== 'AUTO' || own.every((name) => settings[name] === undefined)) return [];
  return [{ path: `${at}/adaptiveQuantization`, text: 'Must not be AUTO' }];
}

/** The widths and the rate of refused jobs (1808, 720, 576, 752, 832, 1200; 16,800,000 at level 3.1) follow from the standard's table. */
function levelFaults(
  { width, height }: VideoDescription,
  { codecLevel, maxBitrate }: H264Settings,
  { path, at }: { path: string; at: string },
): Fault[] {
  const level = LEVELS[codecLevel];
  if (!level) return [];
  const faults: Fault[] = [];
  if (width !== undefined && height !== undefined) {
    const most = Math.min(Math.floor(Math.sqrt(8 * level.frame)), Math.floor(level.frame / Math.ceil(height / 16)));
    if (width > most * 16) faults.push({ path: `${path}/width`, text: `Should be less than or equal to ${most * 16}` });
  }
  const rate = level.rate * 1200;
  if (maxBitrate !== undefined && maxBitrate > rate) {
    faults.push({ path: `${at}/maxBitrate`, text: `Should be less than or equal to ${rate}` });
  }
  return faults;
}
