import type { Fault } from './refusal.ts';
import type { AudioDescription } from './schema.ts';

/** Bits per second of a mode, and the range of each profile, coding mode and sample rate: https://docs.aws.amazon.com/mediaconvert/latest/ug/aac-support.html */
const K = 1000;
const RATES = [
  8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 288, 320, 384, 448, 512, 576,
].map((rate) => rate * K);
const RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  'LC CODING_MODE_1_0 32000': [32 * K, 192 * K],
  'LC CODING_MODE_1_0 44100': [56 * K, 256 * K],
  'LC CODING_MODE_1_0 48000': [56 * K, 288 * K],
  'LC CODING_MODE_2_0 32000': [40 * K, 384 * K],
  'LC CODING_MODE_2_0 44100': [64 * K, 512 * K],
  'LC CODING_MODE_2_0 48000': [64 * K, 576 * K],
  'LC CODING_MODE_2_0 96000': [256 * K, 576 * K],
};

export function aacFaults({ codecSettings }: AudioDescription, path: string): Fault[] {
  const { aacSettings: settings } = codecSettings;
  const at = `${path}/codecSettings`;
  if (!settings) return [{ path: at, text: 'Should have at least 2 properties' }];
  const { codecProfile, codingMode, sampleRate, bitrate, rateControlMode, vbrQuality } = settings;
  if (rateControlMode === 'VBR') {
    // The model: Bitrate is of CBR, VbrQuality of VBR. The texts are guesses.
    return bitrate === undefined ? [] : [{ path: `${at}/aacSettings/rateControlMode`, text: 'Must be CBR' }];
  }
  if (vbrQuality !== undefined) return [{ path: `${at}/aacSettings/rateControlMode`, text: 'Must be VBR' }];
  if (bitrate === undefined) return [{ path: `${at}/aacSettings`, text: 'bitrate is a required property' }];
  const range = RANGES[`${codecProfile} ${codingMode} ${sampleRate}`];
  if (!range) {
    const text = `Profile ${codecProfile}, ${codingMode} at ${sampleRate} is not served by this local MediaConvert`;
    return [{ path: `${at}/aacSettings`, text }];
  }
  if (RATES.includes(bitrate) && bitrate >= range[0] && bitrate <= range[1]) return [];
  const combination = `Profile ${codecProfile}, Coding mode ${codingMode}, and Sample rate ${sampleRate}`;
  const text =
    `You specified a value for Bitrate that is not valid with the combination of ${combination} you selected. ` +
    `Specify a bitrate in the range of ${range[0]}-${range[1]}`;
  return [{ path: `${at}/aacSettings/bitrate`, text }];
}
