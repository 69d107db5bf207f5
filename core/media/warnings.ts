import { type Warning, warning } from '../contracts/warnings.ts';
import type { EncodePlan } from './encode-plan.ts';
import { reducedToTwo } from './plan.ts';
import type { MediaProbe } from './probe.ts';

/** What is known to be lost before anything is decoded. */
export function plannedWarnings(probe: MediaProbe, { audio }: Pick<EncodePlan, 'audio'>): Warning[] {
  return [
    ...probe.skipped.map(({ what, why }) => warning('track_skipped', `The ${what} was not taken. ${why}`)),
    ...(audio && audio.sourceChannels > 2 ? [warning('channels_reduced', reducedToTwo(audio.sourceChannels))] : []),
  ];
}
