/** What is known of a track of sound that may be one side of a recording. */
export interface MonoTrack {
  index: number;
  codec_name?: string | undefined;
  channels?: number | undefined;
  /** FFmpeg's name of the layout: `mono`, `1 channels (FL)`. */
  channel_layout?: string | undefined;
  sample_rate?: number | undefined;
  start_time?: number | undefined;
  duration?: number | undefined;
  disposition: Readonly<Record<string, number>>;
  tags: { language?: string | undefined };
}

/** By how many seconds the starts, and the lengths, of two sides may differ: some frames of a codec. */
const SAME_SECONDS = 0.1;
/** FFmpeg's dispositions of sound that is made for some listeners, or for a mix with the main sound. */
export const FOR_SOME = [
  'comment',
  'lyrics',
  'karaoke',
  'hearing_impaired',
  'visual_impaired',
  'clean_effects',
  'descriptions',
  'dependent',
];
/** What makes a track a version of its own. */
const OWN_VERSION = ['dub', ...FOR_SOME];

/**
 * The two of several mono tracks that are the left and the right side of one recording, as camcorders write them: those that are called so,
 * else the only two, else the first two of an MXF file, where these are the stereo sound of four, eight or more tracks (EBU R 123).
 * They are alike in all but their sound: two languages, or sound for the blind beside the original, are not two sides.
 */
export function leftAndRight<Track extends MonoTrack>(
  tracks: readonly Track[],
  format: string,
): [left: Track, right: Track] | undefined {
  const [left, right] = ['FL', 'FR'].map((name) =>
    tracks.filter(({ channel_layout }) => sideOf(channel_layout) === name),
  );
  const named = left?.length === 1 && right?.length === 1 ? [left[0], right[0]] : undefined;
  const unnamed = tracks.every(({ channel_layout }) => sideOf(channel_layout) === undefined);
  const [one, other] = named ?? (unnamed && (tracks.length === 2 || format === 'mxf') ? tracks : []);
  return one && other && areAlike(one, other) ? [one, other] : undefined;
}

/** `FL` of `1 channels (FL)`; undefined for plain mono. */
function sideOf(layout: string | undefined): string | undefined {
  return /^(?:1 channels \()?(F[LRC]|LFE|[BS][LRC])\)?$/.exec(layout ?? '')?.[1];
}

function areAlike(one: MonoTrack, other: MonoTrack): boolean {
  const isSame = (a: number | undefined, b: number | undefined) =>
    a === b || (a !== undefined && b !== undefined && Math.abs(a - b) <= SAME_SECONDS);
  return (
    one.channels === 1 &&
    other.channels === 1 &&
    one.codec_name === other.codec_name &&
    one.sample_rate === other.sample_rate &&
    one.tags.language === other.tags.language &&
    isSame(one.start_time, other.start_time) &&
    isSame(one.duration, other.duration) &&
    OWN_VERSION.every((name) => one.disposition[name] !== 1 && other.disposition[name] !== 1)
  );
}
