import { expect, test } from 'vitest';
import {
  extended,
  finished,
  type Growth,
  growingPlaylist,
  growingStreams,
  playableSeconds,
} from '../../../../core/media/growing.ts';
import { readPlaylist } from '../../../../core/media/hls-rules/playlist.ts';
import { checkStream } from '../../../../core/media/hls-rules/rules.ts';
import { masterPlaylist } from '../../../../core/media/master-playlist.ts';

const EMPTY: Omit<Growth, 'step'> = {
  master: '',
  target: 6,
  next: { chunk: 0, piece: 0, soundPiece: 0 },
  lists: [
    { file: 'audio-64k', isSound: true, runs: [] },
    { file: '360p', isSound: false, runs: [] },
  ],
};
const NEXT = { chunk: 0, piece: 1, soundPiece: 1 };

/** Segments of 6 s, of 100 bytes each behind an init segment of 10. */
const rendition = (file: string, from: number, count: number) => ({
  ...{ file, codec: 'avc1.64001e', init: { offset: 0, bytes: 10 } },
  segments: Array.from({ length: count }, (_, i) => ({
    ...{ at: from + 6 * i, seconds: 6, offset: 10 + 100 * i, bytes: 100 },
  })),
});
const addition = (uri: string, file: string, from: number, count: number) => ({
  uri,
  renditions: [rendition(file, from, count)],
});
const begun = extended(EMPTY, [addition('sound-3.mp4', 'audio-64k', 0, 3), addition('0-3.mp4', '360p', 0, 2)], NEXT);
const first = begun as Growth;

test('a growing version begins with what there is, as an EVENT without an end', () => {
  expect(growingPlaylist(first, '360p', 1)).toBe(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:6
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:EVENT
#EXT-X-START:TIME-OFFSET=0
#EXT-X-MAP:URI="0-3.mp4",BYTERANGE="10@0"
#EXTINF:6.000000,
#EXT-X-BYTERANGE:100@10
0-3.mp4
#EXTINF:6.000000,
#EXT-X-BYTERANGE:100@110
0-3.mp4
`);
  expect(growingPlaylist(first, '360p', 0)).toBeNull();
  expect(playableSeconds(first)).toEqual({ pictures: 12, sound: 18, both: 12 });
});

test('each step only adds lines at the end', () => {
  const second = extended(first, [addition('0-6.mp4', '360p', 12, 2)], NEXT) as Growth;
  const [before, after] = [growingPlaylist(second, '360p', 1) ?? '', growingPlaylist(second, '360p', 2) ?? ''];
  expect(before).toBe(growingPlaylist(first, '360p', 1));
  expect(after.slice(before.length)).toBe(`#EXT-X-MAP:URI="0-6.mp4",BYTERANGE="10@0"
#EXTINF:6.000000,
#EXT-X-BYTERANGE:100@10
0-6.mp4
#EXTINF:6.000000,
#EXT-X-BYTERANGE:100@110
0-6.mp4
`);
  expect(after.startsWith(before)).toBe(true);
  expect(growingPlaylist(second, 'audio-64k', 2)).toBe(growingPlaylist(first, 'audio-64k', 1));
});

test.each<[string, Parameters<typeof extended>[1][number]]>([
  ['has been added before', addition('0-6.mp4', '360p', 0, 2)],
  ['begins after a gap', addition('0-6.mp4', '360p', 18, 2)],
  ['is of no list', addition('0-6.mp4', 'mp4', 12, 2)],
  [
    'is longer than the target duration',
    {
      uri: '0-6.mp4',
      renditions: [{ ...rendition('360p', 12, 1), segments: [{ at: 12, seconds: 7, offset: 10, bytes: 100 }] }],
    },
  ],
])('what %s is not added', (_, more) => {
  expect(extended(first, [more], NEXT)).toBeNull();
});

test('what is longer than what is missing adds the rest: the whole chunk after some of its pieces', () => {
  const second = extended(first, [addition('0-360p.mp4', '360p', 0, 4)], NEXT);
  expect(second?.lists[1]?.runs[1]).toMatchObject({
    ...{ step: 2, uri: '0-360p.mp4' },
    segments: [{ at: 12, offset: 210 }, { at: 18 }],
  });
});

test('the end is in the files of the whole version', () => {
  const whole = (uri: string, seconds: number[]) => ({
    init: { uri, range: { offset: 0, bytes: 700 } },
    segments: seconds.map((durationSeconds, i) => ({
      ...{ uri, durationSeconds, range: { offset: 1000 * (i + 1), bytes: 900 } },
    })),
  });
  const playlists = new Map([
    ['360p', whole('360p.mp4', [6, 6, 6, 2])],
    ['audio-64k', whole('audio-64k.mp4', [6.01, 5.99, 6, 2])],
  ]);
  const end = finished(first, playlists, '../v1/');
  const [before, after] = [growingPlaylist(end, '360p', 1) ?? '', growingPlaylist(end, '360p', 2) ?? ''];
  expect(after.slice(before.length)).toBe(`#EXT-X-MAP:URI="../v1/360p.mp4",BYTERANGE="700@0"
#EXTINF:6.000000,
#EXT-X-BYTERANGE:900@3000
../v1/360p.mp4
#EXTINF:2.000000,
#EXT-X-BYTERANGE:900@4000
../v1/360p.mp4
#EXT-X-ENDLIST
`);
  expect(before).toBe(growingPlaylist(first, '360p', 1));
  expect(growingPlaylist(end, 'audio-64k', 2)).toMatch(
    /\n#EXTINF:2\.000000,\n.*\n\.\.\/v1\/audio-64k\.mp4\n#EXT-X-ENDLIST\n$/,
  );
});

test('one that is whole already only gets its end', () => {
  const playlists = new Map([
    [
      '360p',
      {
        init: { uri: '360p.mp4' },
        segments: [6, 6].map((durationSeconds) => ({ uri: '360p.mp4', durationSeconds })),
      },
    ],
  ]);
  const [before, after] = [1, 2].map((step) => growingPlaylist(finished(first, playlists, '../v1/'), '360p', step));
  expect(after).toBe(`${before}#EXT-X-ENDLIST\n`);
});

const PLAN = {
  ...{ segmentSeconds: 6, durationSeconds: 3600 },
  video: {
    frameRate: { num: 25, den: 1 },
    captions: false,
    rungs: [
      { name: '720p', width: 1280, height: 720, maxBitrate: 2_500_000, audio: '128k', x264Preset: 'faster' },
      { name: '360p', width: 640, height: 360, maxBitrate: 500_000, audio: '64k', x264Preset: 'faster' },
    ],
  },
  audio: {
    ...{ channels: 2, language: 'de' },
    renditions: [
      { name: '128k', file: 'audio-128k', bitrate: 128_000, streamed: true },
      { name: '64k', file: 'audio-64k', bitrate: 64_000, streamed: true },
    ],
  },
} as unknown as Parameters<typeof growingStreams>[0];

test('the master playlist has the bounds of the rates, because not all segments exist', () => {
  const codecs = new Map([
    ...['720p', '360p'].map((file) => [file, 'avc1.64001f'] as const),
    ...['audio-128k', 'audio-64k'].map((file) => [file, 'mp4a.40.2'] as const),
  ]);
  expect(masterPlaylist(growingStreams(PLAN, codecs), '')).toBe(`#EXTM3U
#EXT-X-VERSION:7
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-128k",NAME="German",LANGUAGE="de",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio-128k.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio-64k",NAME="German",LANGUAGE="de",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio-64k.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=3474134,AVERAGE-BANDWIDTH=2640800,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="audio-128k",CLOSED-CAPTIONS=NONE
720p.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=737067,AVERAGE-BANDWIDTH=570400,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=640x360,FRAME-RATE=25.000,VIDEO-RANGE=SDR,AUDIO="audio-64k",CLOSED-CAPTIONS=NONE
360p.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=70400,AVERAGE-BANDWIDTH=70400,CODECS="mp4a.40.2",AUDIO="audio-64k",CLOSED-CAPTIONS=NONE
audio-64k.m3u8
`);
});

test('the rules of HLS hold for its playlists while it grows, and those of a whole stream do not', () => {
  const media = first.lists.map(({ file }) => ({
    ...{ playlist: readPlaylist(growingPlaylist(first, file, 1) ?? '', `${file}.m3u8`) },
    ...{ namedBy: [], segments: [] },
  }));
  const broken = checkStream({ media, missing: [], complete: true }).filter(({ rule }) => rule.level === 'must');
  // The master playlist says it.
  expect([...new Set(broken.map(({ rule }) => rule.id))]).toEqual(['independent-segments']);
});
