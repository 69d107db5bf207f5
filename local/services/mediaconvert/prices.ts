import type { Prices } from '../../cost/prices.ts';
import type { Meter } from '../../kernel/meter.ts';
import type { Rate } from '../../plugin.ts';
import type { OutputGroupDetail } from './job.ts';
import type { Settings } from './schema.ts';

/** Least that an output is billed for. */
const LEAST_SECONDS = 10;

/** Counts finished outputs, each by itself; above 30 pictures a second it counts twice. */
export function meterOutputs(meter: Meter, settings: Settings, groups: readonly OutputGroupDetail[]): void {
  for (const [i, { outputDetails }] of groups.entries()) {
    for (const [j, { durationInMs, videoDetails }] of outputDetails.entries()) {
      const output = settings.outputGroups[i]?.outputs[j];
      const h264 = output?.videoDescription?.codecSettings.h264Settings;
      const tier = h264 && videoDetails ? tierOf(videoDetails) : output?.audioDescriptions.length ? 'audio' : undefined;
      if (!tier) continue;
      const rate = (h264?.framerateNumerator ?? 30) / (h264?.framerateDenominator ?? 1);
      meter.add(`mediaconvert:seconds:${tier}`, Math.max(LEAST_SECONDS, durationInMs / 1000) * (rate > 30 ? 2 : 1));
    }
  }
}

/** SD below 720 lines, HD to 1080. */
function tierOf({ widthInPx, heightInPx }: { widthInPx: number; heightInPx: number }): string {
  const lines = Math.min(widthInPx, heightInPx);
  if (lines < 720) return 'sd';
  return lines <= 1080 ? 'hd' : 'uhd';
}

export function rate(counted: string, { mediaConvert }: Prices): Rate | undefined {
  const [service, what, tier = ''] = counted.split(':');
  const { sdMinute: sd, hdMinute: hd, uhdMinute: uhd, soundMinute: audio } = mediaConvert;
  const usdPerUnit = { sd, hd, uhd, audio }[tier];
  if (service !== 'mediaconvert' || what !== 'seconds' || usdPerUnit === undefined) return undefined;
  return { what: `MediaConvert ${tier.toUpperCase()}`, unit: 'minutes', usdPerUnit, scale: 1 / 60 };
}
