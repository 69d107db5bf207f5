import { numberOf, type Playlist, type Tag, tagOf } from './playlist.ts';
import {
  allPlaylists,
  type MediaFile,
  type Problem,
  problem,
  type Rule,
  type Stream,
  soundAndPictures,
} from './stream.ts';

/** What each playlist says by itself and beside the others. */

/** Tags of media playlists and of segments, RFC 8216, sections 4.3.2 and 4.3.3, and of master playlists, 4.3.4. */
const MEDIA_ONLY =
  /^#(EXTINF|EXT-X-(BYTERANGE|DISCONTINUITY|KEY|MAP|TARGETDURATION|MEDIA-SEQUENCE|ENDLIST|PLAYLIST-TYPE|I-FRAMES-ONLY))$/;

const eachPlaylist = (check: (playlist: Playlist) => Problem[]) => (stream: Stream) =>
  allPlaylists(stream).flatMap(check);
const eachMedia = (check: (file: MediaFile) => Problem[]) => (stream: Stream) => stream.media.flatMap(check);

export const SYNTAX_RULES: readonly Rule[] = [
  {
    id: 'extm3u',
    source: 'RFC 8216, 4.3.1.1',
    level: 'must',
    title: 'The first line of a playlist is #EXTM3U',
    check: eachPlaylist((playlist) =>
      playlist.first === '#EXTM3U' ? [] : [problem(playlist, 1, `it begins with ${quoted(playlist.first)}`, '#EXTM3U')],
    ),
  },
  {
    id: 'version',
    source: 'RFC 8216, 4.3.1.2 and 7',
    level: 'must',
    title: 'EXT-X-VERSION stands once at most, and is as high as what is used requires',
    check: eachPlaylist((playlist) => {
      const versions = playlist.tags.filter(({ name }) => name === '#EXT-X-VERSION');
      const [tag, second] = versions;
      if (second) return [problem(playlist, second.line, 'a second EXT-X-VERSION', 'one')];
      const needed = neededVersion(playlist);
      const found = tag ? numberOf(tag.value) : 1;
      if (found >= needed.version) return [];
      const right = `${needed.version} or more, for ${needed.reason} in line ${needed.line}`;
      return [
        problem(playlist, tag?.line ?? 1, tag ? `version ${tag.value}` : 'no EXT-X-VERSION, which means 1', right),
      ];
    }),
  },
  {
    id: 'one-kind',
    source: 'RFC 8216, 4.3.3 and 4.3.4',
    level: 'must',
    title: 'A playlist has the tags of a master playlist or of a media playlist, not of both',
    check: eachPlaylist((playlist) => {
      const stray = playlist.kind === 'master' ? playlist.tags.find(({ name }) => MEDIA_ONLY.test(name)) : undefined;
      return stray
        ? [problem(playlist, stray.line, `${stray.name} in a master playlist`, 'only in media playlists')]
        : [];
    }),
  },
  {
    id: 'target-duration',
    source: 'RFC 8216, 4.3.3.1',
    level: 'must',
    title: 'EXT-X-TARGETDURATION stands once, and no segment is longer when rounded',
    check: eachMedia(({ playlist }) => {
      const [tag, second] = playlist.tags.filter(({ name }) => name === '#EXT-X-TARGETDURATION');
      if (!tag) return [problem(playlist, 1, 'no EXT-X-TARGETDURATION', 'one')];
      if (second) return [problem(playlist, second.line, 'a second EXT-X-TARGETDURATION', 'one')];
      const target = numberOf(tag.value);
      if (!Number.isInteger(target)) return [problem(playlist, tag.line, quoted(tag.value), 'whole seconds')];
      const long = playlist.segments.find(({ seconds }) => Math.round(seconds) > target);
      return long ? [problem(playlist, long.line, `${long.seconds} s`, `at most ${target} s when rounded`)] : [];
    }),
  },
  {
    id: 'same-target-duration',
    source: 'RFC 8216, 6.2.4; Apple 8.2',
    level: 'must',
    title: 'All playlists of pictures and sound have the same target duration',
    check: (stream) => {
      const tags = soundAndPictures(stream).flatMap(({ playlist }) => {
        const tag = tagOf(playlist, '#EXT-X-TARGETDURATION');
        return tag ? [{ playlist, tag }] : [];
      });
      const [first, ...others] = tags;
      return others
        .filter(({ tag }) => tag.value !== first?.tag.value)
        .map(({ playlist, tag }) =>
          problem(playlist, tag.line, tag.value, `${first?.tag.value}, as in ${first?.playlist.name}`),
        );
    },
  },
  {
    id: 'extinf',
    source: 'RFC 8216, 4.3.2.1',
    level: 'must',
    title: 'Each segment has its duration',
    check: eachMedia(({ playlist }) =>
      playlist.segments
        .filter(({ seconds }) => !(seconds >= 0))
        .map(({ line }) => problem(playlist, line, 'no EXTINF with a number', '#EXTINF:<seconds>,')),
    ),
  },
  {
    id: 'byte-range',
    source: 'RFC 8216, 4.3.2.2',
    level: 'must',
    title: 'EXT-X-BYTERANGE has a length, and an offset unless it follows another of the same resource',
    check: eachMedia(({ playlist }) =>
      playlist.segments.flatMap(({ badRange, line }) =>
        badRange === undefined ? [] : [problem(playlist, line, quoted(badRange), '<length>@<offset>')],
      ),
    ),
  },
  {
    id: 'map',
    source: 'RFC 8216, 3.3 and 4.3.2.5; Apple 8.20',
    level: 'must',
    title: 'Segments of fragmented MP4 have an init segment',
    check: eachMedia(({ playlist }) => {
      const bare = playlist.segments.find(({ uri, map }) => /\.(m4s|mp4|m4a|m4v|cmf[av])(\?|$)/.test(uri) && !map?.uri);
      return bare ? [problem(playlist, bare.line, 'no EXT-X-MAP with a URI before it', '#EXT-X-MAP:URI="…"')] : [];
    }),
  },
  {
    id: 'endlist',
    source: 'RFC 8216, 4.3.3.4 and 6.2.1',
    level: 'must',
    title: 'A stream on demand has its end: EXT-X-ENDLIST',
    check: eachMedia(({ playlist }) =>
      tagOf(playlist, '#EXT-X-ENDLIST') ? [] : [problem(playlist, 1, 'no EXT-X-ENDLIST: it is taken for live', 'one')],
    ),
  },
  {
    id: 'playlist-type',
    source: 'Apple 8.6',
    level: 'must',
    title: 'A stream on demand says EXT-X-PLAYLIST-TYPE:VOD',
    check: eachMedia(({ playlist }) => {
      const tag = tagOf(playlist, '#EXT-X-PLAYLIST-TYPE');
      return tag?.value === 'VOD'
        ? []
        : [problem(playlist, tag?.line ?? 1, tag?.value ?? 'no EXT-X-PLAYLIST-TYPE', 'VOD')];
    }),
  },
  {
    id: 'independent-segments',
    source: 'RFC 8216, 4.3.5.1; Apple 9.11 and 9.12',
    level: 'must',
    title: 'The master playlist, or each media playlist of pictures, says EXT-X-INDEPENDENT-SEGMENTS',
    check: ({ master, media }) => {
      const has = (playlist: Playlist) => tagOf(playlist, '#EXT-X-INDEPENDENT-SEGMENTS') !== undefined;
      const right = '#EXT-X-INDEPENDENT-SEGMENTS';
      if (!master)
        return media.flatMap(({ playlist }) => (has(playlist) ? [] : [problem(playlist, 1, 'not said', right)]));
      if (has(master.playlist) || media.every(({ playlist }) => has(playlist))) return [];
      return [problem(master.playlist, 1, 'not said', right)];
    },
    departure: 'A media playlist of ours is played through its master playlist, which says it.',
  },
  {
    id: 'target-of-6',
    source: 'Apple 7.5',
    level: 'should',
    title: 'The target duration is 6 seconds',
    departure: 'A picture that stands still for longer than a segment is not repeated to be cut.',
    check: (stream) =>
      soundAndPictures(stream).flatMap(({ playlist }) => {
        const tag = tagOf(playlist, '#EXT-X-TARGETDURATION');
        // What has one segment only is as long as it is.
        if (!tag || tag.value === '6' || playlist.segments.length < 2) return [];
        return [problem(playlist, tag.line, tag.value, '6')];
      }),
  },
  {
    id: 'segments-of-6',
    source: 'Apple 7.6',
    level: 'should',
    title: 'Each segment but the last lasts 6 seconds, within half a second',
    departure: 'A picture that stands still for longer than a segment is not repeated to be cut.',
    check: (stream) =>
      soundAndPictures(stream).flatMap(({ playlist }) => {
        const other = playlist.segments.slice(0, -1).find(({ seconds }) => Math.abs(seconds - 6) > 0.5);
        return other ? [problem(playlist, other.line, `${other.seconds} s`, '5.5 to 6.5 s')] : [];
      }),
  },
];

/** The least version, and a line that needs it. RFC 8216, section 7. */
function neededVersion({ tags, kind }: Playlist): { version: number; reason: string; line: number } {
  let needed = { version: 1, reason: '', line: 1 };
  const iframesOnly = tags.some(({ name }) => name === '#EXT-X-I-FRAMES-ONLY');
  for (const tag of tags) {
    const [version, reason] = versionOf(tag, iframesOnly);
    if (version > needed.version && (kind === 'media' || version === 7)) needed = { version, reason, line: tag.line };
  }
  return needed;
}

function versionOf({ name, value, attributes }: Tag, iframesOnly: boolean): [number, string] {
  if (name === '#EXT-X-MEDIA' && attributes.get('INSTREAM-ID')?.startsWith('SERVICE'))
    return [7, 'INSTREAM-ID=SERVICE'];
  if (name === '#EXT-X-MAP') return [iframesOnly ? 5 : 6, name];
  if (name === '#EXT-X-KEY' && (attributes.has('KEYFORMAT') || attributes.has('KEYFORMATVERSIONS')))
    return [5, 'KEYFORMAT'];
  if (name === '#EXT-X-BYTERANGE' || name === '#EXT-X-I-FRAMES-ONLY') return [4, name];
  if (name === '#EXTINF' && value.split(',')[0]?.includes('.')) return [3, 'a fraction in EXTINF'];
  if (name === '#EXT-X-KEY' && attributes.has('IV')) return [2, 'IV'];
  return [1, ''];
}

/** Untrusted text, cut. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
