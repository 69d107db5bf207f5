import { expect, test } from 'vitest';
import { checkStream, RULES } from '../../../../../core/media/hls-rules/rules.ts';
import type { Delivery, MediaFile, SegmentFacts, Stream } from '../../../../../core/media/hls-rules/stream.ts';
import { PLAYLISTS, run, streamOf } from './stream.ts';

/** `rule playlist:line` of each broken rule. */
const broken = (stream: Stream) =>
  checkStream(stream).map(({ rule, playlist, line }) => `${rule.id} ${playlist}:${line}`);

const M = 'master.m3u8';
const ALL = Object.keys(PLAYLISTS).filter((name) => name !== M && !/iframes|small/.test(name));
/** The variant of 416x234, line 10 of the master playlist. */
const small = (attribute: string) => new RegExp(`${attribute}(?=.*\\n234p)`);

const SUBTITLES = '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="English",LANGUAGE="en",URI="en.m3u8"\n';

/** What breaks; in which playlists; the text there; what takes its place. */
const TEXTS: [string[], string | string[], string | RegExp, string][] = [
  [['extm3u 234p.m3u8:1'], '234p.m3u8', '#EXTM3U\n', '\uFEFF#EXTM3U\n'],
  [['version 720p.m3u8:2'], '720p.m3u8', 'VERSION:7', 'VERSION:5'],
  [['version 720p.m3u8:1'], '720p.m3u8', '#EXT-X-VERSION:7\n', '#\n'],
  [['version 720p.m3u8:3'], '720p.m3u8', 'VERSION:7\n', 'VERSION:7\n#EXT-X-VERSION:7\n'],
  [['one-kind master.m3u8:3'], M, '#EXT-X-INDEPENDENT', '#EXT-X-TARGETDURATION:6\n#EXT-X-INDEPENDENT'],
  [['target-duration high.m3u8:1'], 'high.m3u8', '#EXT-X-TARGETDURATION:6', '#'],
  [['same-target-duration high.m3u8:3', 'target-of-6 high.m3u8:3'], 'high.m3u8', 'DURATION:6', 'DURATION:7'],
  [['byte-range low.m3u8:14'], 'low.m3u8', 'BYTERANGE:12000', 'BYTERANGE:x'],
  [['map high.m3u8:7'], 'high.m3u8', '#EXT-X-MAP:URI="high.mp4"', '#'],
  [['endlist high.m3u8:1'], 'high.m3u8', '#EXT-X-ENDLIST', '#'],
  [['playlist-type high.m3u8:4'], 'high.m3u8', 'TYPE:VOD', 'TYPE:EVENT'],
  [['independent-segments master.m3u8:1'], M, '#EXT-X-INDEPENDENT-SEGMENTS', '#'],
  [ALL.map((name) => `target-of-6 ${name}:3`), ALL, 'DURATION:6', 'DURATION:8'],
  [['variant-bandwidth master.m3u8:6'], M, 'BANDWIDTH=2100000,AV', 'BANDWIDTH=,AV'],
  [['variant-uri master.m3u8:10'], M, '234p.m3u8', ''],
  [['average-given master.m3u8:6'], M, 'AVERAGE-BANDWIDTH=2100000,', ''],
  [['codecs-given master.m3u8:12'], M, /,CODECS="avc1.64001F"(?=.*iframes)/, ''],
  [['codecs-right master.m3u8:13'], M, /avc1.64000D(?=.*small)/, 'avc1.64000E'],
  [['codecs-right master.m3u8:6'], M, 'avc1.64001F,mp4a', 'avc1.64001E,mp4a'],
  [['codecs-right master.m3u8:10'], M, 'avc1.64000D,mp4a.40.2', 'avc1.64000D'],
  [['resolution-given master.m3u8:12'], M, 'RESOLUTION=1280x720,URI', 'URI'],
  [['resolution-right master.m3u8:12'], M, 'RESOLUTION=1280x720,URI', 'RESOLUTION=1280x721,URI'],
  [['resolution-right master.m3u8:10'], M, '416x234', '418x234'],
  [['frame-rate master.m3u8:10'], M, small('FRAME-RATE=25.000,'), ''],
  [['frame-rate master.m3u8:10'], M, small('=25.000'), '=120.000'],
  [['video-range master.m3u8:10'], M, small('SDR'), 'PQ'],
  [['several-rates master.m3u8:6'], M, /(#EXT-X-STREAM-INF.*\n720p.*\n){2}/, ''],
  [['media-attributes master.m3u8:4', 'media-attributes master.m3u8:5'], M, /NAME="English",/g, ''],
  [['names-unique master.m3u8:5'], M, /(?=#EXT-X-MEDIA)/, SUBTITLES.repeat(2)],
  [['two-at-the-top master.m3u8:6'], M, /#EXT-X-STREAM-INF.*\n720p-high.*\n/, ''],
  [['cellular master.m3u8:1'], M, '=180000,AVERAGE', '=192001,AVERAGE'],
  [
    ['no-sound-alone master.m3u8:12'],
    M,
    /(?=#EXT-X-I-F)/,
    '#EXT-X-STREAM-INF:BANDWIDTH=48000,AVERAGE-BANDWIDTH=48000,CODECS="mp4a.40.2",AUDIO="low",CLOSED-CAPTIONS=NONE\nlow.m3u8\n',
  ],
  [['iframes master.m3u8:1'], M, /(#EXT-X-I-FRAME.*\n){2}/, ''],
  [['several-iframes master.m3u8:12'], M, /(?<=iframes.m3u8"\n)#EXT-X-I-FRAME.*\n/, ''],
  [['iframe-attributes master.m3u8:12'], M, 'BANDWIDTH=200000,', ''],
  [['iframe-attributes master.m3u8:12'], M, 'RESOLUTION=1280x720,URI', 'RESOLUTION=1280x720,FRAME-RATE=25.000,URI'],
  [['iframe-attributes master.m3u8:12'], M, ',URI="iframes.m3u8"', ''],
  [['bandwidth master.m3u8:12'], M, '=200000', '=160000'],
  [['same-duration small.m3u8:1'], 'small.m3u8', /#EXTINF.*\n#EXT-X-BYTERANGE.*@1500700\n234p.mp4\n/, ''],
  [['iframes-only iframes.m3u8:1'], 'iframes.m3u8', '#EXT-X-I-FRAMES-ONLY', '#'],
  [
    ['media-attributes master.m3u8:4'],
    M,
    /(?=#EXT-X-MEDIA)/,
    '#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="CC",LANGUAGE="en",INSTREAM-ID="CC5"\n',
  ],
  [['groups-exist master.m3u8:10'], M, 'AUDIO="low"', 'AUDIO="lower"'],
  [['one-default master.m3u8:4', 'one-default master.m3u8:5'], M, /AUTOSELECT=YES/g, 'AUTOSELECT=NO'],
  [['groups-alike master.m3u8:5'], M, /NAME="English"(?=.*low\.m3u8)/, 'NAME="Anglais"'],
  [['language master.m3u8:4', 'language master.m3u8:5'], M, /LANGUAGE="en",/g, ''],
  [['channels master.m3u8:4'], M, 'CHANNELS="2"', 'CHANNELS="6"'],
  [['channels master.m3u8:4'], M, 'CHANNELS="2",', ''],
  [['captions-none master.m3u8:10'], M, small(',CLOSED-CAPTIONS=NONE'), ''],
  [['bandwidth master.m3u8:6'], M, '=2100000,AVERAGE', '=2400000,AVERAGE'],
  [['bandwidth master.m3u8:6'], M, '=2100000,AVERAGE', '=1880000,AVERAGE'],
  [['average-bandwidth master.m3u8:8'], M, 'AVERAGE-BANDWIDTH=4100000', 'AVERAGE-BANDWIDTH=3600000'],
  [
    ['first-near-2-mbit master.m3u8:6'],
    M,
    /(#EXT-X-STREAM-INF.*\n720p.m3u8\n)(#EXT-X-STREAM-INF.*\n720p-high.m3u8\n)/,
    '$2$1',
  ],
];

function changed(names: string | string[], text: string | RegExp, instead: string): Stream {
  const playlists = Object.fromEntries(
    [names].flat().map((name) => {
      const before = PLAYLISTS[name] ?? '';
      const after = before.replace(text, instead);
      if (after === before) throw new Error(`${name} has no ${text}`);
      return [name, after];
    }),
  );
  return streamOf({ ...PLAYLISTS, ...playlists });
}

test.each(TEXTS)('%j', (expected, names, text, instead) => {
  expect(broken(changed(names, text, instead)).sort()).toEqual([...expected].sort());
});

const file = ({ media }: Stream, name: string): MediaFile => {
  const found = media.find(({ playlist }) => playlist.name === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
};
const segment = (stream: Stream, name: string, i: number): SegmentFacts => file(stream, name).segments[i] ?? {};
const track = (stream: Stream, name: string) => {
  const [first] = file(stream, name).tracks ?? [];
  if (!first) throw new Error(`no track of ${name}`);
  return first;
};
const withHeader = (delivery: Delivery, name: string, value: string | null): Delivery => {
  const headers = new Map([...delivery.headers].filter(([key]) => key !== name));
  return { ...delivery, headers: value === null ? headers : headers.set(name, value) };
};

/** What breaks, and what is found of the segments or of the server. */
const FACTS: [string[], (stream: Stream) => unknown][] = [
  [
    ['reachable low.m3u8:14'],
    (stream) => Object.assign(segment(stream, 'low.m3u8', 2), { missing: 'it was answered 404' }),
  ],
  [['reachable high.m3u8:5'], (stream) => Object.assign(file(stream, 'high.m3u8'), { initProblem: 'no moov box' })],
  [
    ['starts-with-keyframe 720p.m3u8:11'],
    (stream) => {
      const later = { ...run(track(stream, '720p.m3u8'), 6, 6), startsWithSync: false };
      segment(stream, '720p.m3u8', 1).runs = [later];
    },
  ],
  [
    ['starts-with-keyframe small.m3u8:12'],
    (stream) => {
      const later = { ...run(track(stream, 'small.m3u8'), 2, 2), startsWithSync: false };
      segment(stream, 'small.m3u8', 1).runs = [later];
    },
  ],
  [['iframe-whole small.m3u8:9'], (stream) => Object.assign(segment(stream, 'small.m3u8', 0), { holdsFirst: false })],
  [['iframe-whole small.m3u8:27'], (stream) => Object.assign(segment(stream, 'small.m3u8', 6), { runs: [] })],
  [
    ['durations-as-announced small.m3u8:9'],
    (stream) => {
      segment(stream, 'small.m3u8', 1).runs = [run(track(stream, 'small.m3u8'), 1.9, 2)];
    },
  ],
  [
    ['keyframes-every-2s 720p.m3u8:11'],
    (stream) => {
      segment(stream, '720p.m3u8', 1).runs = [{ ...run(track(stream, '720p.m3u8'), 6, 6), syncs: [6, 8.1] }];
    },
  ],
  [
    ['durations-as-announced 720p.m3u8:14'],
    (stream) => {
      segment(stream, '720p.m3u8', 2).runs = [run(track(stream, '720p.m3u8'), 12, 1.9)];
    },
  ],
  [
    ['durations-as-announced high.m3u8:7', 'not-over-target high.m3u8:7'],
    (stream) => {
      segment(stream, 'high.m3u8', 0).runs = [run(track(stream, 'high.m3u8'), 0, 6.6)];
      segment(stream, 'high.m3u8', 1).runs = [run(track(stream, 'high.m3u8'), 6.6, 6)];
      segment(stream, 'high.m3u8', 2).runs = [run(track(stream, 'high.m3u8'), 12.6, 1.4)];
    },
  ],
  [
    ['continuous high.m3u8:9', 'continuous high.m3u8:11'],
    (stream) => {
      segment(stream, 'high.m3u8', 1).runs = [{ ...run(track(stream, 'high.m3u8'), 6, 6), start: 6.5 }];
    },
  ],
  [
    ['separate-sound master.m3u8:6'],
    (stream) => file(stream, '720p.m3u8').tracks?.push({ ...track(stream, 'high.m3u8'), id: 2 }),
  ],
  [['gzip 720p.m3u8:1'], (stream) => setDelivery(stream, '720p.m3u8', 'content-encoding', null)],
  [['content-type 720p.m3u8:1'], (stream) => setDelivery(stream, '720p.m3u8', 'content-type', 'text/plain')],
  [['cache-control 720p.m3u8:1'], (stream) => setDelivery(stream, '720p.m3u8', 'cache-control', null)],
  [['no-redirects high.m3u8:7'], (stream) => setSegment(stream, { redirected: 'https://other.example/high_0.m4s' })],
  [['tls high.m3u8:7'], (stream) => setSegment(stream, { url: 'http://media.example/high_0.m4s' })],
];

function setDelivery(stream: Stream, name: string, header: string, value: string | null): void {
  const changed = file(stream, name);
  if (changed.delivery) changed.delivery = withHeader(changed.delivery, header, value);
}

function setSegment(stream: Stream, change: Partial<Delivery>): void {
  const first = segment(stream, 'high.m3u8', 0);
  if (first.delivery) first.delivery = { ...first.delivery, ...change };
}

test.each(FACTS)('%j, as found', (expected, change) => {
  const stream = streamOf(PLAYLISTS);
  change(stream);
  expect(broken(stream)).toEqual(expected);
});

/** As TEXTS, where nothing is known of the segments. */
const UNMEASURED: typeof TEXTS = [
  [['target-duration iframes.m3u8:9', 'same-duration iframes.m3u8:1'], 'iframes.m3u8', '2.000000', '2.500000'],
  [['aspect-ratio master.m3u8:10'], M, '416x234', '416x312'],
  [['peak-below-200-percent master.m3u8:6'], M, '=2100000,AVERAGE', '=4200001,AVERAGE'],
  [['extinf iframes.m3u8:9', 'same-duration iframes.m3u8:1'], 'iframes.m3u8', '#EXTINF:2.000000,', '#'],
  [['same-boundaries high.m3u8:9'], 'high.m3u8', /6.0(.*\n.*\n.*)6.0/, '5.9$16.1'],
  [['same-duration high.m3u8:1'], 'high.m3u8', '2.000000', '1.500000'],
  [
    [
      ...['720p.m3u8:8', '720p-high.m3u8:7', '234p.m3u8:7', 'high.m3u8:7', 'low.m3u8:8'].map(
        (line) => `segments-of-6 ${line}`,
      ),
      'same-duration iframes.m3u8:1',
      'same-duration small.m3u8:1',
    ],
    ALL,
    '6.000000',
    '4.000000',
  ],
];

test.each(UNMEASURED)('%j, unmeasured', (expected, names, text, instead) => {
  const stream = changed(names, text, instead);
  for (const each of stream.media) Object.assign(each, { segments: each.segments.map(() => ({})), tracks: undefined });
  expect(broken(stream).sort()).toEqual([...expected].sort());
});

/** What breaks, where both the text and the init segments say another codec. */
const CODECS: [string[], RegExp, string][] = [
  [
    ['h264-level master.m3u8:6', 'h264-level master.m3u8:8', 'h264-level master.m3u8:12'],
    /avc1.64001F/g,
    'avc1.640035',
  ],
  [['h264-compatible master.m3u8:6'], /avc1.6400(1F|0D)/g, 'avc1.640033'],
  [['h264-high master.m3u8:6', 'h264-high master.m3u8:8'], /avc1.64001F/g, 'avc1.4D401F'],
  [['sample-descriptions master.m3u8:6', 'sample-descriptions master.m3u8:8'], /avc1.64001F/g, 'hev1.1.6.L93.B0'],
  [['stereo-aac master.m3u8:1'], /mp4a.40.2/g, 'ec-3'],
];
test.each(CODECS)('%j', (expected, from, to) => {
  const stream = streamOf({ ...PLAYLISTS, [M]: (PLAYLISTS[M] ?? '').replaceAll(from, to) });
  for (const { tracks = [] } of stream.media) {
    for (const each of tracks) Object.assign(each, { codec: each.codec.replaceAll(from, to) });
  }
  expect(broken(stream)).toEqual(expected);
});

test('each rule is broken by a case', () => {
  const cases = [...TEXTS, ...UNMEASURED, ...FACTS, ...CODECS].map(([first]) => first);
  const ids = cases.flat().map((name) => name.split(' ')[0]);
  expect(RULES.map(({ id }) => id).filter((id) => !ids.includes(id))).toEqual([]);
});
