import type { Warning } from '../../core/contracts/warnings.ts';
import type { EncodePlan } from '../../core/media/encode-plan.ts';
import type { MediaProbe } from '../../core/media/probe.ts';
import { outputRate } from './rate.ts';

/**
 * The plan as MediaConvert carries it out, which is the measure of its outputs: their rate is constant. `retime` is set where it is not that
 * of the source.
 */
export function asEncoded(plan: EncodePlan, { video: track }: MediaProbe): { plan: EncodePlan; warnings: Warning[] } {
  const { video } = plan;
  if (!video || !track) return { plan, warnings: [] };
  const { rate, isSet, warnings } = outputRate(video, track);
  const { retime: _, ...rest } = video;
  const made = { ...rest, ...(isSet && { retime: rate }), frameRate: rate, lastFrameSeconds: rate.den / rate.num };
  return { plan: { ...plan, video: made }, warnings };
}
