import { HLS_VERSION } from './master-playlist.ts';

export interface Segment {
  uri: string;
  durationSeconds: number;
}

export interface MediaPlaylist {
  /** URI of the init segment. */
  init: string;
  segments: Segment[];
}

/**
 * Reads a finished (VOD) fMP4 playlist as our encoder writes it.
 * @throws Error when its end or its init segment is missing
 */
export function readMediaPlaylist(text: string): MediaPlaylist {
  const lines = text.split('\n').map((line) => line.trim());
  const init = lines.map((line) => /^#EXT-X-MAP:URI="([^"]+)"$/.exec(line)?.[1]).find((uri) => uri !== undefined);
  if (init === undefined) throw new Error('playlist without EXT-X-MAP');
  if (!lines.includes('#EXT-X-ENDLIST')) throw new Error('playlist without EXT-X-ENDLIST');
  const segments: Segment[] = [];
  let durationSeconds = 0;
  for (const line of lines) {
    const duration = /^#EXTINF:([\d.]+),/.exec(line)?.[1];
    if (duration !== undefined) durationSeconds = Number(duration);
    else if (line !== '' && !line.startsWith('#')) segments.push({ uri: line, durationSeconds });
  }
  return { init, segments };
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

/** The text of a finished playlist. */
export function writeMediaPlaylist(playlist: MediaPlaylist, target: number): string {
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${HLS_VERSION}`,
    `#EXT-X-TARGETDURATION:${target}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
    `#EXT-X-MAP:URI="${playlist.init}"`,
    ...playlist.segments.flatMap((segment) => [`#EXTINF:${segment.durationSeconds.toFixed(6)},`, segment.uri]),
    '#EXT-X-ENDLIST',
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * The first segments that together reach `seconds`. A segment that begins less than 0.1 s before that is left out: audio is
 * cut at AAC frames, a little before or after the video.
 */
export function firstSeconds(playlist: MediaPlaylist, seconds: number): MediaPlaylist {
  let start = 0;
  const segments = playlist.segments.filter((segment) => {
    const wanted = start < seconds - 0.1;
    start += segment.durationSeconds;
    return wanted;
  });
  return { init: playlist.init, segments };
}
