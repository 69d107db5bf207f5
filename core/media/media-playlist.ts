import { HLS_VERSION } from './master-playlist.ts';

/** Bytes of a file: EXT-X-BYTERANGE, RFC 8216, section 4.3.2.2. */
export interface ByteRange {
  /** Bytes from the file's start. */
  offset: number;
  bytes: number;
}

/** Something that a playlist names. Each rendition is one file; versions of earlier releases have a file for each segment, and no ranges. */
export interface Named {
  uri: string;
  range?: ByteRange;
}

export interface Segment extends Named {
  durationSeconds: number;
}

export interface MediaPlaylist {
  /** The init segment. */
  init: Named;
  segments: Segment[];
}

const MAP = /^#EXT-X-MAP:URI="([^"]+)"(?:,BYTERANGE="(\d+)@(\d+)")?$/;

/**
 * Reads a finished (VOD) fMP4 playlist as our encoder writes it, or has written it.
 * @throws Error when its end or its init segment is missing
 */
export function readMediaPlaylist(text: string): MediaPlaylist {
  const lines = text.split('\n').map((line) => line.trim());
  const map = lines.map((line) => MAP.exec(line)).find((found) => found !== null);
  if (!map) throw new Error('playlist without EXT-X-MAP');
  if (!lines.includes('#EXT-X-ENDLIST')) throw new Error('playlist without EXT-X-ENDLIST');
  const segments: Segment[] = [];
  let next: Omit<Segment, 'uri'> = { durationSeconds: 0 };
  for (const line of lines) {
    const duration = /^#EXTINF:([\d.]+),/.exec(line)?.[1];
    const [range, bytes, offset] = /^#EXT-X-BYTERANGE:(\d+)@(\d+)$/.exec(line) ?? [];
    if (duration !== undefined) next = { durationSeconds: Number(duration) };
    else if (range !== undefined) next = { ...next, ...rangeOf(bytes, offset) };
    else if (line !== '' && !line.startsWith('#')) segments.push({ uri: line, ...next });
  }
  const [, uri = '', bytes, offset] = map;
  return { init: { uri, ...rangeOf(bytes, offset) }, segments };
}

function rangeOf(bytes: string | undefined, offset: string | undefined): Pick<Named, 'range'> {
  return bytes === undefined ? {} : { range: { offset: Number(offset), bytes: Number(bytes) } };
}

/**
 * EXT-X-TARGETDURATION of all media playlists of one stream: the longest segment, rounded (RFC 8216, section 4.3.3.1). They must have the
 * same (section 6.2.4).
 */
export function targetDuration(playlists: readonly MediaPlaylist[]): number {
  return playlists
    .flatMap(({ segments }) => segments)
    .reduce((target, { durationSeconds }) => Math.max(target, Math.round(durationSeconds)), 1);
}

/**
 * The text of a finished playlist.
 * @param options `keyframesOnly`: whether each segment is one keyframe: EXT-X-I-FRAMES-ONLY, RFC 8216, section 4.3.3.6
 */
export function writeMediaPlaylist(
  { init, segments }: MediaPlaylist,
  target: number,
  { keyframesOnly = false } = {},
): string {
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${HLS_VERSION}`,
    `#EXT-X-TARGETDURATION:${target}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    ...(keyframesOnly ? ['#EXT-X-I-FRAMES-ONLY'] : []),
    `#EXT-X-MAP:URI="${init.uri}"${init.range ? `,BYTERANGE="${rangeText(init.range)}"` : ''}`,
    ...segments.flatMap(({ uri, range, durationSeconds }) => [
      `#EXTINF:${durationSeconds.toFixed(6)},`,
      ...(range ? [`#EXT-X-BYTERANGE:${rangeText(range)}`] : []),
      uri,
    ]),
    '#EXT-X-ENDLIST',
  ];
  return `${lines.join('\n')}\n`;
}

function rangeText({ offset, bytes }: ByteRange): string {
  return `${bytes}@${offset}`;
}

/**
 * How many segments from the first on together reach `seconds`. One that begins less than 0.1 s before that is left out: audio is
 * cut at AAC frames, a little before or after the video.
 */
export function countWithin(segments: readonly Pick<Segment, 'durationSeconds'>[], seconds: number): number {
  let start = 0;
  const wanted = segments.filter(({ durationSeconds }) => {
    const begins = start < seconds - 0.1;
    start += durationSeconds;
    return begins;
  });
  return wanted.length;
}
