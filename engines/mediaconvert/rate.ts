import { type Warning, warning } from '../../core/contracts/warnings.ts';
import type { VideoPlan } from '../../core/media/encode-plan.ts';
import type { Fraction, MediaProbe } from '../../core/media/probe.ts';

/** The constant rate of all pictures that MediaConvert writes. */
export interface OutputRate {
  rate: Fraction;
  /** False where the source has this rate, and MediaConvert follows it. */
  isSet: boolean;
  warnings: Warning[];
}

/** Pictures a second. Of a source whose rate varies, one of them at least as high as its average is taken. */
const USUAL = [10, 15, 24, 25, 30, 50];
/** An average is off by what is lost at a recording's end. */
const ROUNDING = 1.005;

/**
 * MediaConvert writes constant rates only; of a source with another it would choose one itself, by the average. Here it is the slowest one
 * on which all pictures of the source fall, if that is not above the limit, so that pictures are repeated and none is lost.
 * https://docs.aws.amazon.com/mediaconvert/latest/ug/using-variable-frame-rate-inputs.html
 */
export function outputRate(video: VideoPlan, source: NonNullable<MediaProbe['video']>): OutputRate {
  if (video.retime) return { rate: video.retime, isSet: true, warnings: [] };
  const { maxFrameRate } = video;
  const { frameRate: average, baseRate: base } = source;
  if (average && source.constantRate) return { rate: average, isSet: false, warnings: [] };
  const least = average ? perSecond(average) : 0;
  if (base && perSecond(base) <= maxFrameRate && perSecond(base) * ROUNDING >= least) {
    return { rate: base, isSet: true, warnings: [varies(base, 'some are repeated')] };
  }
  const enough = USUAL.find((rate) => rate * ROUNDING >= (average ? least : 30)) ?? maxFrameRate;
  const usual = Math.min(enough, maxFrameRate);
  const rate = { num: usual, den: 1 };
  return { rate, isSet: true, warnings: [varies(rate, 'some are repeated, and some may be left out')] };
}

export const perSecond = ({ num, den }: Fraction) => num / den;

function varies(rate: Fraction, how: string): Warning {
  const text = `The pictures follow each other at times that vary; the output has ${perSecond(rate).toFixed(2)} a second`;
  return warning('rate_made_constant', `${text}: ${how}.`);
}
