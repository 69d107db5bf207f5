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
    ...(audio?.wrongChecksums ? [warning('source_damaged', WRONG_CHECKSUMS)] : []),
    ...(rate && kept
      ? [warning('rate_reduced', `Of ${perSecond(rate)} pictures a second ${perSecond(kept)} are kept.`)]
      : []),
    ...(probe.video?.alpha
      ? [warning('alpha_dropped', 'The pictures have an alpha channel, which is not carried.')]
      : []),
    ...(probe.video ? guessedColors(probe.video) : []),
  ];
}

const WRONG_CHECKSUMS =
  'The checksums of its sound are wrong throughout: they are not compared, and damage is not noticed.';

const LATE_CODES = { video: 'track_skipped', audio: 'track_skipped', subtitle: 'subtitles_dropped' } as const;

/**
 * Tracks that begin so late that nobody knew of them before the decode.
 * @param late With the time on the file's own clock, which means little where recordings were joined.
 */
export function lateWarnings(
  late: readonly { type: string; at?: number | undefined }[],
  { startSeconds }: Pick<MediaProbe, 'startSeconds'>,
  { joined }: Pick<EncodePlan, 'joined'>,
): Warning[] {
  return late.map(({ type, at }) => {
    const code = type in LATE_CODES ? LATE_CODES[type as keyof typeof LATE_CODES] : 'extras_dropped';
    const seconds = at === undefined || joined ? undefined : Math.max(0, at - startSeconds);
    const where = seconds === undefined ? 'late' : `at ${seconds.toFixed(1)} s`;
    const text = `A track of type ${type} begins ${where}, after the part that is read to find tracks: it was not taken.`;
    return warning(code, text, seconds);
  });
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
