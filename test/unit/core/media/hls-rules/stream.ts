import type { Run, Track } from '../../../../../core/media/hls-rules/init.ts';
import { readPlaylist, type Tag } from '../../../../../core/media/hls-rules/playlist.ts';
import type { MediaFile, Stream } from '../../../../../core/media/hls-rules/stream.ts';

/** A stream that keeps every rule, as text, and as what a server and its segments would tell of it. */

const MASTER = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="high",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="high.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="low",NAME="English",LANGUAGE="en",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="low.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=2100000,AVERAGE-BANDWIDTH=2100000,CODECS="avc1.64001F,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="high",CLOSED-CAPTIONS=NONE
720p.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=4100000,AVERAGE-BANDWIDTH=4100000,CODECS="avc1.64001F,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="high",CLOSED-CAPTIONS=NONE
720p-high.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=180000,AVERAGE-BANDWIDTH=180000,CODECS="avc1.64000D,mp4a.40.2",RESOLUTION=416x234,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="low",CLOSED-CAPTIONS=NONE
234p.m3u8
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=200000,CODECS="avc1.64001F",RESOLUTION=1280x720,URI="iframes.m3u8"
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=16000,AVERAGE-BANDWIDTH=16000,CODECS="avc1.64000D",RESOLUTION=416x234,VIDEO-RANGE=SDR,URI="small.m3u8"
`;

const HEAD = '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-PLAYLIST-TYPE:VOD\n';

/** Segments in files of their own: lines 7, 9 and 11. */
const files = (name: string) => `${HEAD}#EXT-X-MAP:URI="${name}.mp4"
#EXTINF:6.000000,
${name}_0.m4s
#EXTINF:6.000000,
${name}_1.m4s
#EXTINF:2.000000,
${name}_2.m4s
#EXT-X-ENDLIST
`;

/** Segments as parts of one file: lines 8, 11 and 14. */
const ranges = (
  name: string,
  [first, second, third]: [number, number, number],
) => `${HEAD}#EXT-X-MAP:URI="${name}.mp4",BYTERANGE="700@0"
#EXTINF:6.000000,
#EXT-X-BYTERANGE:${first}@700
${name}.mp4
#EXTINF:6.000000,
#EXT-X-BYTERANGE:${second}
${name}.mp4
#EXTINF:2.000000,
#EXT-X-BYTERANGE:${third}
${name}.mp4
#EXT-X-ENDLIST
`;

/** Keyframes of 14 s: lines 9, 12, … 27. */
const iframes = (name: string, bytes: number) => `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-PLAYLIST-TYPE:VOD
#EXT-X-I-FRAMES-ONLY
#EXT-X-MAP:URI="${name}.mp4",BYTERANGE="700@0"
${[0, 1, 2, 3, 4, 5, 6].map((i) => `#EXTINF:2.000000,\n#EXT-X-BYTERANGE:${bytes}@${700 + i * 250_000}\n${name}.mp4`).join('\n')}
#EXT-X-ENDLIST
`;

/** Bytes of a whole second of each. */
const RATES: Readonly<Record<string, number>> = {
  '720p.m3u8': 250_000,
  '720p-high.m3u8': 500_000,
  '234p.m3u8': 16_500,
  'high.m3u8': 12_500,
  'low.m3u8': 6_000,
  'iframes.m3u8': 25_000,
  'small.m3u8': 2000,
};

export const PLAYLISTS: Readonly<Record<string, string>> = {
  'master.m3u8': MASTER,
  '720p.m3u8': ranges('720p', [1_500_000, 1_500_000, 500_000]),
  '720p-high.m3u8': files('720p-high'),
  '234p.m3u8': files('234p'),
  'high.m3u8': files('high'),
  'low.m3u8': ranges('low', [36_000, 36_000, 12_000]),
  'iframes.m3u8': iframes('720p', 50_000),
  'small.m3u8': iframes('234p', 4000),
};

const video = (width: number, height: number, codec: string): Track => ({
  ...{ id: 1, kind: 'video', timescale: 12_800, entry: 'avc1', codec, width, height },
  defaults: { duration: 512, bytes: 0, flags: 0 },
});
const SOUND: Track = {
  ...{ id: 1, kind: 'audio', timescale: 48_000, entry: 'mp4a', codec: 'mp4a.40.2', channels: 2, rate: 48_000 },
  defaults: { duration: 1024, bytes: 0, flags: 0 },
};
const TRACKS: Readonly<Record<string, Track>> = {
  '720p.m3u8': video(1280, 720, 'avc1.64001F'),
  '720p-high.m3u8': video(1280, 720, 'avc1.64001F'),
  '234p.m3u8': video(416, 234, 'avc1.64000D'),
  'iframes.m3u8': video(1280, 720, 'avc1.64001F'),
  'small.m3u8': video(416, 234, 'avc1.64000D'),
  'high.m3u8': SOUND,
  'low.m3u8': SOUND,
};

/** One fragment of pictures at 25 a second with a keyframe every two, or of sound. */
export function run(track: Track, start: number, duration: number): Run {
  const syncs = Array.from({ length: Math.ceil(duration / 2) }, (_, i) => start + i * 2);
  const shown = { shownFrom: start, shownTo: start + duration, longest: 0.04, last: 0.04 };
  return { track, start, duration, samples: Math.round(duration * 25), ...shown, syncs, startsWithSync: true };
}

const delivery = (name: string, type: string, coding?: string) => ({
  url: `https://media.example/${name}`,
  redirected: null,
  headers: new Map([
    ['content-type', type],
    ['cache-control', 'max-age=60'],
    ...(coding ? ([['content-encoding', coding]] as const) : []),
  ]),
});
const listed = (name: string) => delivery(name, 'application/vnd.apple.mpegurl', 'gzip');

/** The stream of these playlists, with segments that are what the texts above say. */
export function streamOf(playlists: Readonly<Record<string, string>>): Stream {
  const master = readPlaylist(playlists['master.m3u8'] ?? '', 'master.m3u8');
  const names = new Map<string, Tag[]>();
  for (const tag of [...master.variants, ...master.renditions, ...master.iframes]) {
    const uri = tag.uri ?? tag.attributes.get('URI');
    if (uri !== undefined && uri in playlists) names.set(uri, [...(names.get(uri) ?? []), tag]);
  }
  const media = [...names].map(([name, namedBy]): MediaFile => {
    const playlist = readPlaylist(playlists[name] ?? '', name);
    const track = structuredClone(TRACKS[name]);
    if (!track) throw new Error(`no track of ${name}`);
    const every = /iframes|small/.test(name) ? 2 : 6;
    const facts = readPlaylist(PLAYLISTS[name] ?? '', name).segments.map(({ seconds, uri }, i) => ({
      bytes: (RATES[name] ?? 0) * seconds,
      runs: [run(track, i * every, seconds)],
      whole: true,
      holdsFirst: true,
      delivery: delivery(uri, uri.endsWith('.m4s') ? 'video/iso.segment' : 'video/mp4'),
    }));
    return { playlist, namedBy, tracks: [track], delivery: listed(name), segments: facts };
  });
  return { master: { playlist: master, delivery: listed('master.m3u8') }, media, missing: [], complete: true };
}
