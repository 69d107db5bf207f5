import type { Playlist } from './playlist.ts';
import { type Delivery, type Problem, problem, type Rule, type Stream } from './stream.ts';

/** How a server delivers the stream; a stream on disk breaks none of these. */

/** Apple's table of 10.4, for what is looked at here. */
const PLAYLIST_TYPES = ['application/vnd.apple.mpegurl', 'audio/mpegurl', 'application/x-mpegurl'];
const TYPES: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\.m3u8$/, PLAYLIST_TYPES],
  [/\.m4s$/, ['video/iso.segment', 'video/mp4', 'audio/mp4']],
  [/\.(mp4|m4a|m4v|cmf[av])$/, ['video/mp4', 'audio/mp4', 'video/iso.segment']],
  [/\.ts$/, ['video/mp2t']],
  [/\.aac$/, ['audio/aac']],
  [/\.vtt$/, ['text/vtt', 'text/plain']],
];

interface Delivered {
  playlist: Playlist;
  line: number;
  what: 'playlist' | 'media';
  delivery: Delivery;
}

export const DELIVERY_RULES: readonly Rule[] = [
  {
    id: 'gzip',
    source: 'Apple 10.1',
    level: 'must',
    title: 'Playlists are delivered compressed with gzip',
    departure: 'CloudFront compresses from 1,000 bytes on.',
    check: eachDelivery(({ what, delivery }) => {
      const coding = delivery.headers.get('content-encoding');
      return what === 'media' || coding === 'gzip' ? null : [coding ?? 'not compressed', 'gzip'];
    }),
  },
  {
    id: 'content-type',
    source: 'Apple 10.4',
    level: 'should',
    title: 'Content types are those of the table',
    check: eachDelivery(({ delivery }) => {
      const path = new URL(delivery.url).pathname;
      const right = TYPES.find(([pattern]) => pattern.test(path))?.[1];
      const found = delivery.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? 'none';
      return right === undefined || right.includes(found) ? null : [found, right.join(', ')];
    }),
  },
  {
    id: 'no-redirects',
    source: 'Apple 8.18',
    level: 'must',
    title: 'Media are not redirected',
    check: eachDelivery(({ what, delivery }) =>
      what === 'media' && delivery.redirected ? [`redirected to ${delivery.redirected}`, 'its own URL'] : null,
    ),
  },
  {
    id: 'tls',
    source: 'Apple 11.1 to 11.3',
    level: 'should',
    title: 'Playlists and media are delivered over TLS',
    departure: 'The local delivery is for this machine.',
    check: eachDelivery(({ delivery }) => (delivery.url.startsWith('https:') ? null : ['http', 'https'])),
  },
  {
    id: 'cache-control',
    source: 'RFC 9111, 4.2.2',
    level: 'should',
    title: 'Each answer says how long it may be kept: without, a cache guesses',
    check: eachDelivery(({ delivery: { headers } }) =>
      headers.has('cache-control') || headers.has('expires') ? null : ['no Cache-Control', 'Cache-Control: max-age=…'],
    ),
  },
];

/** One problem for each playlist and kind of file: what is wrong with one is wrong with all beside it. */
function eachDelivery(check: (delivered: Delivered) => readonly [string, string] | null) {
  return (stream: Stream): Problem[] => {
    const seen = new Set<string>();
    return deliveries(stream).flatMap((delivered) => {
      const wrong = check(delivered);
      const key = `${delivered.playlist.name} ${delivered.what}`;
      if (!wrong || seen.has(key)) return [];
      seen.add(key);
      return [problem(delivered.playlist, delivered.line, ...wrong)];
    });
  };
}

function deliveries({ master, media }: Stream): Delivered[] {
  const list = [...(master ? [master] : []), ...media].map(({ playlist, delivery }) => ({
    ...{ playlist, line: 1, delivery },
    what: 'playlist' as const,
  }));
  const segments = media.flatMap(({ playlist, initDelivery, segments }) => [
    { playlist, line: playlist.segments[0]?.map?.line ?? 1, what: 'media' as const, delivery: initDelivery },
    ...segments.map(({ delivery }, i) => ({
      ...{ playlist, line: playlist.segments[i]?.line ?? 1, delivery },
      what: 'media' as const,
    })),
  ]);
  return [...list, ...segments].flatMap(({ delivery, ...rest }) => (delivery ? [{ ...rest, delivery }] : []));
}
