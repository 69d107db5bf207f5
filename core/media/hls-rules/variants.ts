import type { Track } from './init.ts';
import { numberOf, type Playlist, type Tag } from './playlist.ts';
import { isKeyframes, type MediaFile, type Problem, problem, type Rule, type Stream } from './stream.ts';

/** The variants that a master playlist offers. */

/** Average bits per second of the variant that stands first. */
const FIRST = 2_000_000;
/** Peak bits per second of the smallest variant. */
const CELLULAR = 192_000;

/** What is wrong with a tag, and what is right, or null. */
type Check = (tag: Tag, stream: Stream) => readonly [string, string] | null;

/** A rule of these tags of the master playlist. */
function each(tagsOf: (master: Playlist) => readonly Tag[], check: Check) {
  return (stream: Stream): Problem[] => {
    const { master } = stream;
    return (master ? tagsOf(master.playlist) : []).flatMap((tag) => {
      const wrong = check(tag, stream);
      return master && wrong ? [problem(master.playlist, tag.line, ...wrong)] : [];
    });
  };
}

/** A rule of each EXT-X-STREAM-INF. */
const eachVariant = (check: Check) => each(({ variants }) => variants, check);
/** A rule of each EXT-X-I-FRAME-STREAM-INF. */
const eachKeyframes = (check: Check) => each(({ iframes }) => iframes, check);
/** A rule of both. */
const eachOfPictures = (check: Check) => each(({ variants, iframes }) => [...variants, ...iframes], check);

/** A rule of the whole master playlist. */
function ofMaster(check: (playlist: Playlist, stream: Stream) => readonly [number, string, string] | null) {
  return (stream: Stream): Problem[] => {
    const wrong = stream.master ? check(stream.master.playlist, stream) : null;
    return stream.master && wrong ? [problem(stream.master.playlist, ...wrong)] : [];
  };
}

const has = (name: string) => (tag: Tag) => tag.attributes.has(name);
const without = (name: string) => (tag: Tag) => (has(name)(tag) ? null : ([`no ${name}`, `${name}=…`] as const));
const showsPictures = ({ attributes }: Tag) =>
  attributes.has('RESOLUTION') || /\b(avc|hvc|hev|av01|vp09|dvh)/.test(attributes.get('CODECS') ?? '');

export const VARIANT_RULES: readonly Rule[] = [
  {
    id: 'variant-bandwidth',
    source: 'RFC 8216, 4.3.4.2',
    level: 'must',
    title: 'Each EXT-X-STREAM-INF has BANDWIDTH',
    check: eachVariant((tag) =>
      Number.isInteger(numberOf(tag.attributes.get('BANDWIDTH'))) ? null : ['no BANDWIDTH', 'bits per second, whole'],
    ),
  },
  {
    id: 'variant-uri',
    source: 'RFC 8216, 4.3.4.2',
    level: 'must',
    title: 'A URI follows each EXT-X-STREAM-INF',
    check: eachVariant(({ uri }) => (uri ? null : ['no URI in the next line', "the media playlist's URI"])),
  },
  {
    id: 'average-given',
    source: 'Apple 9.14',
    level: 'must',
    title: 'Each variant has AVERAGE-BANDWIDTH',
    check: eachVariant(without('AVERAGE-BANDWIDTH')),
  },
  {
    id: 'codecs-given',
    source: 'RFC 8216, 4.3.4.2; Apple 9.1 and 9.3',
    level: 'must',
    title: 'Each variant has CODECS',
    check: eachOfPictures(without('CODECS')),
  },
  {
    id: 'codecs-right',
    source: 'RFC 8216, 4.3.4.2',
    level: 'must',
    title: 'CODECS names what the init segments hold, of the variant and of its sound',
    check: eachOfPictures((tag, stream) => {
      const said = (tag.attributes.get('CODECS') ?? '').split(',').map((codec) => codec.trim().toLowerCase());
      const files = filesOf(stream, tag);
      const found = files.flatMap(({ tracks = [] }) => tracks.map(({ codec }) => codec));
      const left = found.filter((codec) => !said.some((one) => one.startsWith(codec.toLowerCase())));
      const known = files.length > 0 && files.every(({ tracks }) => tracks !== undefined);
      const extra = said.filter((one) => known && !found.some((codec) => one.startsWith(codec.toLowerCase())));
      const group = tag.attributes.get('AUDIO');
      const sound = stream.master?.playlist.renditions.some(({ attributes }) => attributes.get('GROUP-ID') === group);
      if (!files.some(({ namedBy }) => namedBy.includes(tag)) || (group !== undefined && !sound)) return null;
      if (!tag.attributes.has('CODECS') || (left.length === 0 && extra.length === 0)) return null;
      return [`CODECS="${tag.attributes.get('CODECS')}"`, [...new Set(found)].join(',')];
    }),
  },
  {
    id: 'resolution-given',
    source: 'Apple 9.2 and 9.4',
    level: 'must',
    title: 'Each variant with pictures has RESOLUTION',
    check: (stream) => [
      ...eachVariant((tag) => (showsPictures(tag) ? without('RESOLUTION')(tag) : null))(stream),
      ...eachKeyframes(without('RESOLUTION'))(stream),
    ],
  },
  {
    id: 'resolution-right',
    source: 'RFC 8216, 4.3.4.2',
    level: 'must',
    title: 'RESOLUTION is the size of the pictures',
    check: eachOfPictures((tag, stream) => {
      const said = tag.attributes.get('RESOLUTION');
      const picture = picturesOf(stream, tag);
      const size = picture && `${picture.width}x${picture.height}`;
      return said === undefined || size === undefined || said === size ? null : [said, size];
    }),
  },
  {
    id: 'frame-rate',
    source: 'Apple 1.19 and 9.15',
    level: 'must',
    title: 'Each variant with pictures has FRAME-RATE, 60 at most',
    check: eachVariant((tag) => {
      if (!showsPictures(tag)) return null;
      const rate = numberOf(tag.attributes.get('FRAME-RATE'));
      return rate <= 60 ? null : [Number.isNaN(rate) ? 'no FRAME-RATE' : `FRAME-RATE=${rate}`, '60 at most'];
    }),
  },
  {
    id: 'video-range',
    source: 'Apple 9.16; RFC 8216bis, 4.4.6.2',
    level: 'must',
    title: 'VIDEO-RANGE is that of the pictures: PQ or HLG where they are, else SDR or nothing',
    check: eachOfPictures((tag, stream) => {
      const picture = picturesOf(stream, tag);
      const said = tag.attributes.get('VIDEO-RANGE') ?? 'SDR';
      const right = { 16: 'PQ', 18: 'HLG' }[picture?.transfer ?? 0] ?? 'SDR';
      return !picture || said === right ? null : [`VIDEO-RANGE=${said}`, right];
    }),
  },
  {
    id: 'h264-level',
    source: 'Apple 1.3b',
    level: 'must',
    title: 'H.264 is High profile, level 5.2 at most',
    check: eachOfPictures((tag) => {
      const h264 = h264Of(tag);
      return !h264 || (h264.profile <= HIGH && h264.level <= 52) ? null : [h264.codec, 'profile 64, level 34 at most'];
    }),
  },
  {
    id: 'h264-compatible',
    source: 'Apple 1.3a',
    level: 'should',
    title: 'Some variant in H.264 is High profile, level 4.1 at most',
    check: ofMaster(({ variants }) => {
      const [first, ...others] = variants.flatMap((tag) => h264Of(tag) ?? []);
      const fits = [first, ...others].some((one) => one && one.profile <= HIGH && one.level <= 41);
      return !first || fits ? null : [first.line, first.codec, 'one of profile 64, level 29 at most'];
    }),
  },
  {
    id: 'h264-high',
    source: 'Apple 1.4',
    level: 'should',
    title: 'H.264 is of High profile rather than Main or Baseline',
    departure:
      'The MP4 has to be of Main profile, and shares the encode of the largest rung where it can; the others are High.',
    check: eachVariant(({ attributes }) => {
      const codec = /avc1\.(?!64)[0-9A-Fa-f]{6}/.exec(attributes.get('CODECS') ?? '')?.[0];
      return codec === undefined ? null : [codec, 'avc1.64…'];
    }),
  },
  {
    id: 'sample-descriptions',
    source: 'Apple 1.10',
    level: 'should',
    title: 'Parameter sets are in the init segment: avc1, hvc1, dvh1',
    check: eachVariant(({ attributes }) => {
      const codec = /\b(avc3|hev1|dvhe)\b/.exec(attributes.get('CODECS') ?? '')?.[0];
      return codec === undefined ? null : [codec, { avc3: 'avc1', hev1: 'hvc1', dvhe: 'dvh1' }[codec] ?? ''];
    }),
  },
  {
    id: 'stereo-aac',
    source: 'Apple 2.3',
    level: 'must',
    title: 'Where there is sound, some of it is AAC',
    check: ofMaster(({ variants }) => {
      const codecs = variants.flatMap(({ attributes }) => (attributes.get('CODECS') ?? '').split(','));
      const sound = codecs.filter((codec) => /^(mp4a|ac-3|ec-3|fLaC|opus|alac)/i.test(codec.trim()));
      const aac = sound.some((codec) => /mp4a\.40\.(2|5|29)$/.test(codec.trim()));
      return sound.length === 0 || aac ? null : [1, sound.join(', '), 'mp4a.40.2, .5 or .29'];
    }),
  },
  {
    id: 'separate-sound',
    source: 'Apple 9.5',
    level: 'should',
    title: 'Pictures and sound are separate',
    check: eachVariant((tag, stream) => {
      const kinds = new Set(stream.media.find(({ namedBy }) => namedBy.includes(tag))?.tracks?.map(({ kind }) => kind));
      return kinds.has('video') && kinds.has('audio') ? ['both in one playlist', 'an AUDIO group'] : null;
    }),
  },
  {
    id: 'aspect-ratio',
    source: 'Apple 1.33',
    level: 'should',
    title: 'All variants have one aspect ratio, within two pixels',
    check: eachVariant((tag, { master }) => {
      const [first] = (master?.playlist.variants ?? []).map(sizeOf).filter((size) => size !== null);
      const size = sizeOf(tag);
      if (!first || !size) return null;
      const width = (size.height * first.width) / first.height;
      return Math.abs(width - size.width) <= 2
        ? null
        : [`${size.width}x${size.height}`, `a width of ${Math.round(width)}`];
    }),
  },
  {
    id: 'first-near-2-mbit',
    source: 'Apple 1.32',
    level: 'should',
    title: 'The variant that stands first is the one nearest to an average of 2 Mbit/s',
    check: ofMaster(({ variants }) => {
      const rated = variants.filter(showsPictures).map((tag) => ({ tag, rate: averageOf(tag) }));
      const distance = ({ rate }: { rate: number }) => Math.abs(Math.log(rate / FIRST));
      const [nearest] = [...rated].sort((a, b) => distance(a) - distance(b));
      const [first] = rated;
      if (!first || !nearest || distance(first) <= distance(nearest)) return null;
      return [first.tag.line, `${first.rate} bit/s`, `${nearest.rate} bit/s, of line ${nearest.tag.line}`];
    }),
  },
  {
    id: 'several-rates',
    source: 'Apple 9.9',
    level: 'must',
    title: 'There are several bit rates of the pictures',
    departure: 'A source that is no larger than the smallest rung has one: larger ones would add bytes and no detail.',
    check: ofMaster(({ variants }) => {
      const [only, second] = variants.filter(showsPictures);
      return only && !second ? [only.line, 'one variant with pictures', 'two or more'] : null;
    }),
  },
  {
    id: 'two-at-the-top',
    source: 'Apple 9.10',
    level: 'should',
    title: 'HD has two variants at its largest size',
    departure:
      'Each size has one rung, of constant quality with a capped peak; a second at the same size costs an encode.',
    check: ofMaster(({ variants }) => {
      const sized = variants.flatMap((tag) => {
        const size = sizeOf(tag);
        return size ? [{ tag, pixels: size.width * size.height, height: size.height }] : [];
      });
      const most = Math.max(0, ...sized.map(({ pixels }) => pixels));
      const [top, second] = sized.filter(({ pixels }) => pixels === most);
      // HD is the range of 720p to 1080p (Apple, note to section 13).
      if (!top || second || top.height < 720) return null;
      return [top.tag.line, `one variant of ${top.tag.attributes.get('RESOLUTION')}`, 'two'];
    }),
  },
  {
    id: 'cellular',
    source: 'Apple 9.21 (iOS)',
    level: 'must',
    title: 'There is a variant whose peak is 192 kbit/s at most',
    departure: 'A film without sound has no variant of sound alone, and its smallest rung may need more.',
    check: ofMaster(({ variants }) => {
      const rates = variants.map(({ attributes }) => numberOf(attributes.get('BANDWIDTH')));
      const least = Math.min(...rates);
      return variants.length === 0 || !(least > CELLULAR)
        ? null
        : [1, `the smallest is ${least} bit/s`, `${CELLULAR} at most`];
    }),
  },
  {
    id: 'no-sound-alone',
    source: 'Apple 9.20 (tvOS)',
    level: 'must',
    title: 'Beside pictures there is no variant of sound alone',
    departure:
      'iOS needs a variant of 192 kbit/s at most (9.21), and one of sound alone keeps a call or a talk going on a thin line.',
    check: eachVariant((tag, { master }) =>
      !showsPictures(tag) && master?.playlist.variants.some(showsPictures) ? ['sound alone', 'no such variant'] : null,
    ),
  },
  {
    id: 'iframes',
    source: 'Apple 6.1',
    level: 'must',
    title: 'There are I-frame playlists for scrubbing',
    check: ofMaster(({ variants, iframes }) =>
      variants.some(showsPictures) && iframes.length === 0 ? [1, 'no EXT-X-I-FRAME-STREAM-INF', 'one or more'] : null,
    ),
  },
  {
    id: 'several-iframes',
    source: 'Apple 6.6',
    level: 'should',
    title: 'There are several I-frame playlists, with different bit rates',
    departure: 'There is one for each rung, and a small source has one rung.',
    check: ofMaster(({ iframes: [only, second] }) =>
      only && !second ? [only.line, 'one I-frame playlist', 'two or more'] : null,
    ),
  },
  {
    id: 'iframe-attributes',
    source: 'RFC 8216, 4.3.4.3',
    level: 'must',
    title: 'Each EXT-X-I-FRAME-STREAM-INF has BANDWIDTH and URI, and neither FRAME-RATE nor groups but VIDEO',
    check: eachKeyframes((tag) => {
      if (!Number.isInteger(numberOf(tag.attributes.get('BANDWIDTH'))))
        return ['no BANDWIDTH', 'bits per second, whole'];
      if (!tag.attributes.get('URI')) return ['no URI', 'the URI of its playlist'];
      const other = ['FRAME-RATE', 'AUDIO', 'SUBTITLES', 'CLOSED-CAPTIONS'].find((name) => has(name)(tag));
      return other ? [other, 'no such attribute'] : null;
    }),
  },
  {
    id: 'iframes-only',
    source: 'RFC 8216, 4.3.4.3; Apple 6.8',
    level: 'must',
    title: 'I-frame playlists say EXT-X-I-FRAMES-ONLY',
    check: ({ media }) =>
      media.flatMap(({ playlist, namedBy }) => {
        const named = namedBy.some(({ name }) => name === '#EXT-X-I-FRAME-STREAM-INF');
        return named && !isKeyframes({ playlist }) ? [problem(playlist, 1, 'not said', '#EXT-X-I-FRAMES-ONLY')] : [];
      }),
  },
];

/** profile_idc of High. */
const HIGH = 100;

/** Profile and level of a variant in H.264, as RFC 6381 writes them in hexadecimal. */
function h264Of({ attributes, line }: Tag): { codec: string; profile: number; level: number; line: number } | null {
  const [codec, profile = '', level = ''] = /avc[13]\.(..)..(..)/.exec(attributes.get('CODECS') ?? '') ?? [];
  if (codec === undefined) return null;
  return { codec, profile: Number.parseInt(profile, 16), level: Number.parseInt(level, 16), line };
}

/** The variant's own file, and those of its sound, as far as they were read. */
function filesOf({ media }: Stream, variant: Tag): MediaFile[] {
  const group = variant.attributes.get('AUDIO');
  return media.filter(({ namedBy }) =>
    namedBy.some(
      (tag) =>
        tag === variant ||
        (group !== undefined && tag.attributes.get('TYPE') === 'AUDIO' && tag.attributes.get('GROUP-ID') === group),
    ),
  );
}

function picturesOf(stream: Stream, variant: Tag): Track | undefined {
  const own = stream.media.find(({ namedBy }) => namedBy.includes(variant));
  return own?.tracks?.find(({ kind }) => kind === 'video');
}

function sizeOf({ attributes }: Tag): { width: number; height: number } | null {
  const [, width, height] = /^(\d{1,6})x(\d{1,6})$/.exec(attributes.get('RESOLUTION') ?? '') ?? [];
  return width && height && Number(height) > 0 ? { width: Number(width), height: Number(height) } : null;
}

function averageOf({ attributes }: Tag): number {
  return numberOf(attributes.get('AVERAGE-BANDWIDTH') ?? attributes.get('BANDWIDTH'));
}
