import type { Prices } from '../../cost/prices.ts';
import type { Meter } from '../../kernel/meter.ts';
import type { Rate } from '../../plugin.ts';
import type { OutputGroupDetail } from './job.ts';
import { rateOf } from './picture.ts';
import type { Track } from './probe.ts';
import type { Settings } from './schema.ts';

/** Least that an output is billed for. */
const LEAST_SECONDS = 10;

/**
 * Counts finished outputs, each by itself; above 30 pictures a second it counts twice.
 * @param track the input's pictures, whose rate an output without one of its own follows
 */
export function meterOutputs(
  meter: Meter,
  settings: Settings,
  groups: readonly OutputGroupDetail[],
  track: Track | undefined,
): void {
  for (const [i, { outputDetails }] of groups.entries()) {
    for (const [j, { durationInMs, videoDetails }] of outputDetails.entries()) {
      const output = settings.outputGroups[i]?.outputs[j];
      const video = output?.videoDescription;
      const isPicture = video?.codecSettings.h264Settings !== undefined;
      const tier =
        isPicture && videoDetails ? tierOf(videoDetails) : output?.audioDescriptions.length ? 'audio' : undefined;
      if (!tier) continue;
      const { num, den } = isPicture && track ? rateOf(video, track, j + 1) : { num: 0, den: 1 };
      meter.add(
        `mediaconvert:seconds:${tier}`,
        Math.max(LEAST_SECONDS, durationInMs / 1000) * (num / den > 30 ? 2 : 1),
      );
    }
  }
}

/**
 * SD below 1280x720, HD to 1920x1080, either way up. The price list says SD, HD and 4K only; whether a wide picture of few lines counts by
 * its lines is not known, so that here the dearer reading holds.
 */
function tierOf({ widthInPx, heightInPx }: { widthInPx: number; heightInPx: number }): string {
  const [short, long] = [Math.min(widthInPx, heightInPx), Math.max(widthInPx, heightInPx)];
  if (short < 720 && long < 1280) return 'sd';
  return short <= 1080 && long <= 1920 ? 'hd' : 'uhd';
}

export function rate(counted: string, { mediaConvert }: Prices): Rate | undefined {
  const [service, what, tier = ''] = counted.split(':');
  const { sdMinute: sd, hdMinute: hd, uhdMinute: uhd, soundMinute: audio } = mediaConvert;
  const usdPerUnit = { sd, hd, uhd, audio }[tier];
  if (service !== 'mediaconvert' || what !== 'seconds' || usdPerUnit === undefined) return undefined;
  return { what: `MediaConvert ${tier.toUpperCase()}`, unit: 'minutes', usdPerUnit, scale: 1 / 60 };
}
