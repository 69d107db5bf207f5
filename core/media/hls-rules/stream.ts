import type { Run, Track } from './init.ts';
import type { Playlist, Tag } from './playlist.ts';

/** How a server delivered a file. Names of headers are lower-case. */
export interface Delivery {
  url: string;
  /** Where the last of its redirects led; null without any. */
  redirected: string | null;
  headers: ReadonlyMap<string, string>;
}

/** What was found of a segment. */
export interface SegmentFacts {
  /** Of the part that the playlist names, in bytes. */
  bytes?: number;
  /** Why it cannot be had. */
  missing?: string;
  /** Tracks of its fragments; not of MPEG-TS. */
  runs?: Run[];
  /** Whether `runs` are those of the whole segment. */
  whole?: boolean;
  /** Whether the first sample lies within the segment; unknown where its fragment does not say. */
  holdsFirst?: boolean;
  /** Why its fragments cannot be read. */
  unreadable?: string;
  delivery?: Delivery;
}

export interface MediaFile {
  playlist: Playlist;
  delivery?: Delivery;
  /** The tags of the master playlist that name it; none for a media playlist that was given alone. */
  namedBy: Tag[];
  tracks?: Track[];
  /** Why the init segment cannot be had or read. */
  initProblem?: string;
  initDelivery?: Delivery;
  /** One for each segment of the playlist, as far as they were looked at. */
  segments: SegmentFacts[];
}

/** A stream as it was read, for the rules. */
export interface Stream {
  master?: { playlist: Playlist; delivery?: Delivery };
  media: MediaFile[];
  /** Playlists that the master names and that could not be had. */
  missing: { tag: Tag; uri: string; why: string }[];
  /** Whether every segment was looked at. */
  complete: boolean;
}

export interface Problem {
  playlist: string;
  /** From 1. */
  line: number;
  /** What is wrong. */
  found: string;
  /** What is right. */
  right: string;
}

export interface Rule {
  id: string;
  /** `RFC 8216, 4.3.3.1`, `Apple 7.5`. */
  source: string;
  level: 'must' | 'should';
  title: string;
  /** Why dropreel's own streams may break it. */
  departure?: string;
  check(stream: Stream): Problem[];
}

/** At a line of a playlist. */
export function problem(playlist: Playlist, line: number, found: string, right: string): Problem {
  return { playlist: playlist.name, line, found, right };
}

export function allPlaylists({ master, media }: Stream): Playlist[] {
  return [...(master ? [master.playlist] : []), ...media.map(({ playlist }) => playlist)];
}

/** Media playlists of pictures or sound: not subtitles, not I-frames, which rules exempt. */
export function soundAndPictures({ media }: Stream): MediaFile[] {
  return media.filter(({ playlist, namedBy }) => {
    const other = namedBy.some(
      ({ name, attributes }) => attributes.get('TYPE') === 'SUBTITLES' || name === '#EXT-X-I-FRAME-STREAM-INF',
    );
    return !other && !isKeyframes({ playlist });
  });
}

/** Whether it is a playlist of keyframes for scrubbing. */
export function isKeyframes({ playlist }: Pick<MediaFile, 'playlist'>): boolean {
  return playlist.tags.some(({ name }) => name === '#EXT-X-I-FRAMES-ONLY');
}

export function hasPictures(file: MediaFile): boolean {
  if (file.tracks) return file.tracks.some(({ kind }) => kind === 'video');
  return file.namedBy.some(({ attributes }) => attributes.has('RESOLUTION'));
}

export function totalSeconds({ segments }: Playlist): number {
  return segments.reduce((sum, { seconds }) => sum + (Number.isNaN(seconds) ? 0 : seconds), 0);
}
