import { tone } from '../support/media.ts';
import { bytes, chunk, le32, wav } from './boxes.ts';
import { ANY_REFUSAL, changed, film, made, madeBytes, plain, READY_OR_REFUSED, write } from './files.ts';
import { hostileFiles, type Workshop } from './harness.ts';

const noise = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 7919) >> 3));
const ogg = (shop: Workshop, ...more: string[]) => madeBytes(shop, ...tone(0.3), ...more, '-c:a', 'libvorbis', 'ogg');

hostileFiles('WAV', [
  ...[1, 2, 10, 19, 20, 100, 999].map((rate) =>
    plain(`${rate} Hz`, 'corrupt', wav({ rate, data: noise(2000) }), rate === 1 ? true : undefined),
  ),
  plain('0 Hz', ANY_REFUSAL, wav({ rate: 0, data: noise(2000) })),
  ...[1000, 7350, 384_000, 1_000_000].map((rate) => plain(`${rate} Hz`, 'ready', wav({ rate, data: noise(rate) }))),
  plain('4 GHz', READY_OR_REFUSED, wav({ rate: 0xffff_ffff, data: noise(2000) })),
  plain('9 channels', 'ready', wav({ rate: 48_000, channels: 9, data: noise(18_000) })),
  plain('64 channels', 'ready', wav({ rate: 48_000, channels: 64, data: noise(128_000) })),
  plain('65 channels', ['limit_tracks', ...ANY_REFUSAL], wav({ rate: 48_000, channels: 65, data: noise(130_000) })),
  plain(
    '255 channels',
    ['limit_tracks', ...ANY_REFUSAL],
    wav({ rate: 48_000, channels: 255, data: noise(51_000) }),
    true,
  ),
  plain('0 channels', ANY_REFUSAL, wav({ rate: 48_000, channels: 0, data: noise(2000) })),
  plain('65535 channels', ANY_REFUSAL, wav({ rate: 48_000, channels: 65_535, data: noise(2000) })),
  plain('3 bits a sample', READY_OR_REFUSED, wav({ rate: 48_000, bits: 3, data: noise(2000) })),
  plain('PCM that says it is MP3', READY_OR_REFUSED, wav({ rate: 48_000, format: 0x55, data: noise(9000) })),
  plain('a format that nobody knows', READY_OR_REFUSED, wav({ rate: 48_000, format: 0x7777, data: noise(9000) })),
  plain('no samples', ANY_REFUSAL, wav({ rate: 48_000, data: noise(0) })),
  plain('one sample', READY_OR_REFUSED, wav({ rate: 48_000, data: noise(2) })),
  plain(
    'data of 4 GB, of which 2 KB are there',
    READY_OR_REFUSED,
    wav({ rate: 48_000, data: noise(2000), dataSize: 0xffff_ffff }),
  ),
  plain(
    'data that is said to be half as long',
    READY_OR_REFUSED,
    wav({ rate: 48_000, data: noise(9600), dataSize: 4800 }),
  ),
  plain('a head and no format', ANY_REFUSAL, chunk('RIFF', bytes('WAVE', chunk('data', noise(2000))))),
  plain('10,000 lists', READY_OR_REFUSED, () => {
    const lists = Buffer.concat(Array.from({ length: 10_000 }, () => chunk('LIST', Buffer.from('INFO'))));
    const inside = wav({ rate: 48_000, data: noise(9600) }).subarray(12);
    return chunk('RIFF', bytes('WAVE', lists, inside));
  }),
]);

/** An ID3v2.4 tag with one text of so many bytes (id3.org/id3v2.4.0-structure). */
function tagged(length: number, song: Buffer): Buffer {
  const safe = (n: number) => [(n >> 21) & 127, (n >> 14) & 127, (n >> 7) & 127, n & 127];
  const frame = bytes('TXXX', safe(length + 1), [0, 0], [3], Buffer.alloc(length, 0x61));
  return bytes('ID3', [4, 0, 0], safe(frame.length), frame, song);
}
const song = (shop: Workshop) => madeBytes(shop, ...tone(0.4), '-c:a', 'libmp3lame', 'mp3');
const covered = async (shop: Workshop, size: string, ending: string, ...codec: string[]) => {
  const cover = await made(
    shop,
    '-f',
    'lavfi',
    '-i',
    `color=red:s=${size}:d=1`,
    '-frames:v',
    '1',
    '-c:v',
    'png',
    '-pix_fmt',
    'gray',
    'png',
  );
  const input = [...tone(0.4), '-i', cover, '-map', '0', '-map', '1', '-c:v', 'copy', '-disposition:v', 'attached_pic'];
  return made(shop, ...input, ...codec, ending);
};

hostileFiles('songs', [
  changed('40 MB of tags', 'ready', song, (file) => tagged(40_000_000, file)),
  changed('100 KB of tags', 'ready', song, (file) => tagged(100_000, file)),
  changed('a tag of 256 MB, of which nothing is there', READY_OR_REFUSED, song, (file) =>
    bytes('ID3\x04\0\0', [127, 127, 127, 127], file),
  ),
  {
    title: 'a cover of 8000x8000',
    becomes: 'ready',
    short: true,
    make: (shop) => covered(shop, '8000x8000', 'mp3', '-c:a', 'libmp3lame'),
  },
  {
    title: 'a cover of 16000x16000',
    becomes: 'ready',
    make: (shop) => covered(shop, '16000x16000', 'mp3', '-c:a', 'libmp3lame'),
  },
  {
    title: 'a cover of 8000x8000 in an M4A',
    becomes: 'ready',
    make: (shop) => covered(shop, '8000x8000', 'm4a', '-c:a', 'aac'),
  },
  changed('an MP3 without its first half', READY_OR_REFUSED, song, (file) => file.subarray(file.length >> 1)),
  {
    title: 'a FLAC cut off',
    becomes: READY_OR_REFUSED,
    make: async (shop) => {
      const file = await madeBytes(shop, ...tone(2), '-c:a', 'flac', 'flac');
      return write(shop, file.subarray(0, file.length >> 1));
    },
  },
  changed(
    'an AAC of nothing but its first frame',
    READY_OR_REFUSED,
    (shop) => madeBytes(shop, ...tone(0.4), '-c:a', 'aac', '-f', 'adts', 'aac'),
    (file) => file.subarray(0, 400),
  ),
]);

hostileFiles('joined files', [
  {
    title: 'two Ogg streams of one rate',
    becomes: 'ready',
    short: true,
    make: async (shop) => write(shop, bytes(await ogg(shop), await ogg(shop))),
  },
  {
    title: 'three Ogg streams of two rates',
    becomes: ['ready', 'corrupt'],
    make: async (shop) => write(shop, bytes(await ogg(shop), await ogg(shop, '-ar', '22050'), await ogg(shop))),
  },
  {
    title: 'an Opus stream twice',
    becomes: ['ready', 'corrupt'],
    make: async (shop) => {
      const opus = await madeBytes(shop, ...tone(0.3), '-c:a', 'libopus', 'ogg');
      return write(shop, bytes(opus, opus));
    },
  },
  {
    title: 'a transport stream three times',
    becomes: ['ready', 'corrupt'],
    make: async (shop) => {
      const stream = await film(shop, 'ts');
      return write(shop, bytes(stream, stream, stream));
    },
  },
  {
    title: 'transport streams of three sizes',
    becomes: ['ready', 'corrupt'],
    short: true,
    make: async (shop) =>
      write(
        shop,
        bytes(await film(shop, 'ts'), await film(shop, 'ts', '-s', '80x60'), await film(shop, 'ts', '-s', '320x240')),
      ),
  },
  {
    title: 'two MP3s',
    becomes: ['ready', 'corrupt'],
    make: async (shop) => write(shop, bytes(await song(shop), await song(shop))),
  },
  {
    title: 'two MP4s',
    becomes: READY_OR_REFUSED,
    make: async (shop) => write(shop, bytes(await film(shop, 'mp4'), await film(shop, 'mp4'))),
  },
  {
    title: 'a song after a film',
    becomes: READY_OR_REFUSED,
    make: async (shop) => write(shop, bytes(await film(shop, 'ts'), await song(shop))),
  },
]);

const avi = (shop: Workshop) => film(shop, 'avi', '-c:v', 'mpeg4', '-c:a', 'pcm_s16le');
const header = (file: Buffer, offset: number, value: number) => {
  const copy = Buffer.from(file);
  le32(value).copy(copy, copy.indexOf('avih') + 8 + offset);
  return copy;
};
const stream = (file: Buffer, offset: number, value: number) => {
  const copy = Buffer.from(file);
  le32(value).copy(copy, copy.indexOf('strh') + 8 + offset);
  return copy;
};
hostileFiles('AVI', [
  changed('a frame each nanosecond', READY_OR_REFUSED, avi, (file) => stream(stream(file, 20, 1), 24, 1_000_000_000)),
  changed('a rate of 0', READY_OR_REFUSED, avi, (file) => stream(file, 24, 0)),
  changed('a scale of 0', READY_OR_REFUSED, avi, (file) => stream(file, 20, 0)),
  changed('a stream that begins in a day', READY_OR_REFUSED, avi, (file) => stream(file, 28, 2_000_000)),
  changed('four billion frames', READY_OR_REFUSED, avi, (file) =>
    stream(header(file, 16, 0xffff_ffff), 32, 0xffff_ffff),
  ),
  changed('a million streams', READY_OR_REFUSED, avi, (file) => header(file, 24, 1_000_000)),
  changed('cut in half', 'truncated', avi, (file) => file.subarray(0, file.length >> 1)),
  changed('without its index', READY_OR_REFUSED, avi, (file) => file.subarray(0, file.indexOf('idx1'))),
]);
