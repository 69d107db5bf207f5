import { picture, tone } from '../support/media.ts';
import { bytes, ebml } from './boxes.ts';
import { ANY_REFUSAL, changed, film, made, madeBytes, plain, READY_OR_REFUSED, silent, write } from './files.ts';
import { hostileFiles, type Workshop } from './harness.ts';

const HEAD = ebml(
  [0x1a, 0x45, 0xdf, 0xa3],
  bytes([0x42, 0x82, 0x88], 'matroska', [0x42, 0x87, 0x81, 4, 0x42, 0x85, 0x81, 2]),
);
const SEGMENT = [0x18, 0x53, 0x80, 0x67];
const CLUSTER = [0x1f, 0x43, 0xb6, 0x75];
const VOID = [0xec];
const TRACKS = [0x16, 0x54, 0xae, 0x6b];
const mkv = (shop: Workshop) => silent(shop, 'mkv');

/** The track's entry with an encryption after it: ContentEncodings, of a key that nobody has (RFC 9559, 5.1.4.1.31). */
function encrypted(file: Buffer): Buffer {
  const keyId = ebml([0x47, 0xe2], Buffer.from('0123456789abcdef'));
  const encryption = ebml([0x50, 0x35], bytes(ebml([0x47, 0xe1], Buffer.from([5])), keyId));
  const encoding = ebml([0x62, 0x40], bytes(ebml([0x50, 0x33], Buffer.from([1])), encryption));
  return inTrack(file, ebml([0x6d, 0x80], encoding));
}

/** Puts an element at the end of the first track entry: the sizes of entry, tracks and segment are those of FFmpeg's muxer. */
function inTrack(file: Buffer, element: Buffer): Buffer {
  const cluster = file.indexOf(Buffer.from(CLUSTER));
  // Not the one that the seek head names. Its first child is a checksum, which would not fit.
  const outer = size(file, file.lastIndexOf(Buffer.from(TRACKS), cluster) + TRACKS.length);
  const entry = outer.end + (file[outer.end] === 0xbf ? 6 : 0);
  const inner = size(file, entry + 1);
  const body = Buffer.concat([file.subarray(inner.end, inner.end + inner.value), element]);
  // What stood between has no place that anything refers to, without cues and seek heads.
  return Buffer.concat([
    HEAD,
    ebml(SEGMENT, Buffer.concat([ebml(TRACKS, ebml([0xae], body)), file.subarray(cluster)])),
  ]);
}

/** An EBML size: as many bytes as its first one has leading zeros, and one. */
function size(file: Buffer, offset: number): { value: number; end: number } {
  const length = Math.clz32(file[offset] ?? 1) - 23;
  const raw = file.subarray(offset, offset + length);
  const value = [...raw].reduce((sum, byte, i) => sum * 256 + (i === 0 ? byte & (0xff >> length) : byte), 0);
  return { value, end: offset + length };
}

hostileFiles('Matroska', [
  changed('a tail of zeroes after its first kilobyte', READY_OR_REFUSED, mkv, (file) =>
    bytes(file.subarray(0, 256), Buffer.alloc(20_000)),
  ),
  changed('an encrypted track', 'encrypted', mkv, encrypted, true),
  changed(
    'cut in half',
    READY_OR_REFUSED,
    (shop) => film(shop, 'mkv', '-t', '0.4'),
    (file) => file.subarray(0, file.length >> 1),
  ),
  plain('a head alone', ANY_REFUSAL, HEAD),
  plain(
    'a segment of unknown size with nothing in it',
    ANY_REFUSAL,
    bytes(HEAD, SEGMENT, [0x01, 255, 255, 255, 255, 255, 255, 255]),
  ),
  plain('a segment of 64 PiB', ANY_REFUSAL, bytes(HEAD, ebml(SEGMENT, Buffer.alloc(100), 2 ** 52))),
  plain('200,000 empty elements', ANY_REFUSAL, () =>
    bytes(
      HEAD,
      ebml(
        SEGMENT,
        Buffer.alloc(400_000).map((_, i) => (i % 2 ? 0x80 : (VOID[0] ?? 0))),
      ),
    ),
  ),
  plain('3,000 elements within each other', ANY_REFUSAL, () => {
    let nested: Buffer = Buffer.alloc(0);
    for (let i = 0; i < 3000; i++) nested = ebml(SEGMENT, nested);
    return bytes(HEAD, nested);
  }),
  plain('a cluster without tracks', ANY_REFUSAL, bytes(HEAD, ebml(SEGMENT, ebml(CLUSTER, Buffer.alloc(1000))))),
  plain('an element of 8 EiB', ANY_REFUSAL, bytes(HEAD, SEGMENT, [0x01, 0x7f, 255, 255, 255, 255, 255, 255])),
  {
    title: 'attachments with names of other folders',
    becomes: 'ready',
    make: async (shop) => {
      const note = await write(shop, 'x');
      const attach = [
        '-attach',
        note,
        '-metadata:s:t',
        'mimetype=text/plain',
        '-metadata:s:t',
        'filename=../../../tmp/x',
      ];
      return made(shop, ...picture('160x120', '25', 0.4), ...attach, 'mkv');
    },
  },
  {
    title: '64 audio tracks',
    becomes: 'ready',
    make: (shop) =>
      made(shop, ...tone(0.1), ...Array.from({ length: 64 }, () => ['-map', '0']).flat(), '-c:a', 'pcm_s16le', 'mka'),
  },
  {
    title: '65 audio tracks',
    becomes: 'limit_tracks',
    make: (shop) =>
      made(shop, ...tone(0.1), ...Array.from({ length: 65 }, () => ['-map', '0']).flat(), '-c:a', 'pcm_s16le', 'mka'),
  },
]);

const subtitle = (shop: Workshop, seconds: number) => write(shop, `1\n00:00:00,000 --> 00:00:0${seconds},000\nHello\n`);
hostileFiles('tracks of several lengths', [
  {
    title: 'subtitles that last longer than the film',
    becomes: 'ready',
    short: true,
    make: async (shop) =>
      made(
        shop,
        ...picture('160x120', '25', 1),
        '-f',
        'srt',
        '-i',
        await subtitle(shop, 5),
        '-map',
        '0',
        '-map',
        '1',
        '-c:v',
        'libx264',
        '-c:s',
        'srt',
        'mkv',
      ),
  },
  {
    title: 'a second audio track that lasts longer',
    becomes: 'ready',
    make: (shop) =>
      made(
        shop,
        ...picture('160x120', '25', 1),
        ...tone(1),
        ...tone(3),
        '-map',
        '0',
        '-map',
        '1',
        '-map',
        '2',
        '-c:v',
        'libx264',
        'mkv',
      ),
  },
  {
    title: 'audio that ends first',
    becomes: 'ready',
    make: (shop) => made(shop, ...picture('160x120', '25', 3), ...tone(1), '-c:v', 'libx264', 'mkv'),
  },
  {
    title: 'one frame and a minute of audio',
    becomes: 'ready',
    make: (shop) => made(shop, ...picture('160x120', '25', 0.04), ...tone(60), '-c:v', 'libx264', 'mkv'),
  },
]);

/** A picture of three frames that begins so late, beside sound. */
const late = async (shop: Workshop, seconds: number, ending: string, ...sound: string[]) => {
  const film = await made(shop, ...picture('160x120', '60', 0.05), '-c:v', 'libx264', '-preset', 'ultrafast', 'mp4');
  const pcm = ending === 'mp4' ? ['-c:a', 'aac'] : [];
  return made(shop, ...sound, '-itsoffset', String(seconds), '-i', film, '-c:v', 'copy', ...pcm, ending);
};
hostileFiles('video that begins late', [
  {
    title: '5 s after the audio, Matroska',
    becomes: 'ready',
    short: true,
    make: (shop) => late(shop, 5, 'mkv', ...tone(6)),
  },
  { title: '5 s after the audio, MP4', becomes: 'ready', make: (shop) => late(shop, 5, 'mp4', ...tone(6)) },
  { title: '8 of 10 s after the audio', becomes: 'ready', make: (shop) => late(shop, 8, 'mkv', ...tone(10)) },
  { title: '20 s after the audio, MP4', becomes: 'ready', make: (shop) => late(shop, 20, 'mp4', ...tone(1)) },
  { title: '9 minutes after the audio', becomes: 'ready', make: (shop) => late(shop, 540, 'mkv', ...tone(1)) },
  { title: '15 minutes after the audio', becomes: 'ready', make: (shop) => late(shop, 900, 'mkv', ...tone(1)) },
  {
    title: 'a day after the audio, Matroska',
    becomes: ['corrupt', 'limit_duration'],
    make: (shop) => late(shop, 86_000, 'mkv', ...tone(1)),
  },
  {
    title: 'a day after the audio, MP4',
    becomes: ['corrupt', 'limit_duration'],
    short: true,
    make: (shop) => late(shop, 86_000, 'mp4', ...tone(1)),
  },
  {
    title: 'audio 5 s after the video',
    becomes: 'ready',
    make: async (shop) =>
      made(shop, ...picture('160x120', '25', 6), '-itsoffset', '5', ...tone(1), '-c:v', 'libx264', 'mkv'),
  },
]);

hostileFiles('costs', [
  {
    title: '25 hours of black',
    becomes: 'limit_duration',
    make: (shop) => made(shop, '-f', 'lavfi', '-i', 'color=black:s=16x16:r=1/3600:d=90000', '-c:v', 'ffv1', 'mkv'),
  },
  {
    title: 'three hours of 8K in two frames',
    becomes: READY_OR_REFUSED,
    make: async (shop) => {
      const file = await madeBytes(
        shop,
        '-f',
        'lavfi',
        '-i',
        'color=black:s=7680x4320:r=1/6000:d=12000',
        '-c:v',
        'ffv1',
        'mkv',
      );
      return write(shop, file);
    },
  },
  {
    title: 'a picture of 1x1',
    becomes: READY_OR_REFUSED,
    make: (shop) => made(shop, ...picture('16x16', '25', 0.2), '-vf', 'format=gray,crop=1:1', '-c:v', 'ffv1', 'mkv'),
  },
  {
    title: 'a picture of 16384x2',
    becomes: READY_OR_REFUSED,
    make: (shop) => made(shop, '-f', 'lavfi', '-i', 'color=red:s=16384x2:r=25:d=0.2', '-c:v', 'ffv1', 'mkv'),
  },
  {
    title: 'a thousand frames a second',
    becomes: 'ready',
    make: (shop) => made(shop, ...picture('64x64', '1000', 0.5), '-c:v', 'ffv1', 'mkv'),
  },
]);
