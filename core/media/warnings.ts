import type { SourceTrack } from '../contracts/table/media.ts';
import { type Warning, warning } from '../contracts/warnings.ts';
import type { EncodePlan } from './encode-plan.ts';
import type { MediaProbe, VideoTrack } from './probe.ts';

/** What is known to be lost before anything is decoded, of the tracks of picture and sound. */
export function plannedWarnings(
  probe: MediaProbe,
  { video, audio }: Pick<EncodePlan, 'video' | 'audio'>,
  tracks: readonly SourceTrack[] = [],
): Warning[] {
  const languageOf = (what: string) => tracks.find(({ type, index }) => `${type} track ${index}` === what)?.language;
  const skipped = probe.skipped.map(({ what, why }) => {
    const language = languageOf(what);
    return warning('track_skipped', `The ${what}${language ? ` (${language})` : ''} was not taken. ${why}`);
  });
  const rate = probe.video?.frameRate;
  const kept = video?.retime;
  return [
    ...skipped,
    ...(audio?.lost === undefined ? [] : [warning('channels_reduced', audio.lost)]),
    ...(rate && kept
      ? [warning('rate_reduced', `Of ${perSecond(rate)} pictures a second ${perSecond(kept)} are kept.`)]
      : []),
    ...(probe.video ? guessedColors(probe.video) : []),
  ];
}

const perSecond = ({ num, den }: { num: number; den: number }) => Math.round((num / den) * 100) / 100;

/** What names none of its colours is shown everywhere as it is here: there is nothing to say. */
function guessedColors({ color }: VideoTrack): Warning[] {
  const names = ['primaries', 'transfer', 'matrix'] as const;
  const missing = names.filter((name) => color[name] === undefined);
  if (missing.length === 0 || missing.length === names.length || color.matrix === 'gbr') return [];
  const text = `The source names some of its colours, and not its ${missing.join(' and ')}: usual values are assumed.`;
  return [warning('colors_guessed', text)];
}
