import { picture, tone } from '../support/media.ts';
import { at, box, bytes, patch, u16, u32 } from './boxes.ts';
import { ANY_REFUSAL, changed, film, made, madeBytes, plain, READY_OR_REFUSED, silent } from './files.ts';
import { hostileFiles, type Workshop } from './harness.ts';

const early = (shop: Workshop) => film(shop, 'mp4', '-movflags', '+faststart');
const frames = (shop: Workshop) => silent(shop, 'mp4', '-bf', '2', '-movflags', '+faststart');
const sound = (shop: Workshop) => madeBytes(shop, ...tone(0.4), '-c:a', 'aac', '-movflags', '+faststart', 'm4a');
const FTYP = box('ftyp', 'isom', 512, 'isomiso2');
const MOST = 0xffff_ffff;

/** A sample entry under another name, with the box that says how it is encrypted (ISO/IEC 23001-7, 8.1). */
function encrypt(file: Buffer, entry: string, encrypted: string): Buffer {
  const copy = Buffer.from(file);
  copy.write(encrypted, at(copy, entry), 'latin1');
  return copy;
}

hostileFiles('MP4: tables', [
  ...(['stts', 'ctts', 'stsz', 'stco', 'stsc', 'stss'] as const).map((type) =>
    changed(`${type} with four billion entries`, READY_OR_REFUSED, frames, (file) =>
      patch(file, type, type === 'stsz' ? 8 : 4, MOST),
    ),
  ),
  changed(
    'ctts whose first entry holds for four billion samples',
    READY_OR_REFUSED,
    frames,
    (file) => patch(file, 'ctts', 8, MOST),
    true,
  ),
  changed('stts whose first entry holds for four billion samples', READY_OR_REFUSED, frames, (file) =>
    patch(file, 'stts', 8, MOST),
  ),
  changed('stts and ctts of four billion samples', READY_OR_REFUSED, frames, (file) =>
    patch(patch(file, 'stts', 8, MOST), 'ctts', 8, MOST),
  ),
  changed('samples that last a day each', READY_OR_REFUSED, frames, (file) => patch(file, 'stts', 12, MOST)),
  changed('samples that last nothing', READY_OR_REFUSED, frames, (file) => patch(file, 'stts', 12, 0)),
  changed('a sample of 4 GB', READY_OR_REFUSED, frames, (file) => patch(file, 'stsz', 12, MOST)),
  changed('chunks beyond the end of the file', READY_OR_REFUSED, frames, (file) => patch(file, 'stco', 8, 0x7fff_ffff)),
  changed('chunks of no samples', READY_OR_REFUSED, frames, (file) => patch(file, 'stsc', 12, 0)),
  changed('stsd with four billion entries', READY_OR_REFUSED, frames, (file) => patch(file, 'stsd', 4, MOST)),
  changed('a timescale of 0', READY_OR_REFUSED, frames, (file) => patch(file, 'mdhd', 12, 0)),
  changed('a timescale of 1', READY_OR_REFUSED, frames, (file) => patch(file, 'mdhd', 12, 1)),
  changed('a timescale of 4 GHz', READY_OR_REFUSED, frames, (file) => patch(file, 'mdhd', 12, MOST)),
  changed('a duration of centuries', READY_OR_REFUSED, frames, (file) =>
    patch(patch(file, 'mdhd', 16, MOST), 'mvhd', 16, MOST),
  ),
  changed('an edit of centuries', READY_OR_REFUSED, frames, (file) => patch(file, 'elst', 8, MOST)),
  changed('an edit that begins after the end', READY_OR_REFUSED, frames, (file) =>
    patch(file, 'elst', 12, 0x7fff_ffff),
  ),
  changed('four billion edits', READY_OR_REFUSED, frames, (file) => patch(file, 'elst', 4, MOST)),
  changed('a track that is shown four billion pixels wide', READY_OR_REFUSED, frames, (file) =>
    patch(file, 'tkhd', 76, MOST),
  ),
  changed('sound without a rate', READY_OR_REFUSED, sound, (file) => patch(file, 'mdhd', 12, 0)),
]);

hostileFiles('MP4: boxes', [
  plain('nothing but a head', ANY_REFUSAL, FTYP),
  plain(
    'an index without tracks',
    ANY_REFUSAL,
    bytes(FTYP, box('moov', box('mvhd', Buffer.alloc(100))), box('mdat', 'x')),
    true,
  ),
  plain('media without an index', 'corrupt', bytes(FTYP, box('mdat', Buffer.alloc(1000)))),
  plain('a box of 8 EiB', ANY_REFUSAL, bytes(FTYP, 1, 'mdat', MOST, MOST)),
  plain('a box smaller than its head', ANY_REFUSAL, bytes(FTYP, 4, 'moov', Buffer.alloc(100))),
  plain('20,000 boxes within each other', ANY_REFUSAL, () => {
    const heads = Array.from({ length: 20_000 }, (_, i) => bytes(8 * (20_000 - i), i === 0 ? 'moov' : 'trak'));
    return bytes(FTYP, ...heads);
  }),
  plain(
    'a meta box that holds itself',
    ANY_REFUSAL,
    bytes(FTYP, box('moov', box('meta', 0, box('meta', 0, box('meta', 0))))),
  ),
  changed('a million empty boxes and one', 'corrupt', early, (file) =>
    bytes(file, Buffer.from(bytes(8, 'free').toString('latin1').repeat(1_000_001), 'latin1')),
  ),
  changed('half a million empty boxes', 'ready', early, (file) =>
    bytes(file, Buffer.from(bytes(8, 'free').toString('latin1').repeat(500_000), 'latin1')),
  ),
  changed('junk after the last box', 'ready', early, (file) => bytes(file, Buffer.alloc(5000, 0x55))),
  changed('cut off in its media', 'truncated', early, (file) => file.subarray(0, Math.floor(file.length * 0.7)), true),
  changed('cut off in its index', ANY_REFUSAL, early, (file) => file.subarray(0, 400)),
  changed('its media zeroed', READY_OR_REFUSED, early, (file) => {
    const copy = Buffer.from(file);
    return copy.fill(0, at(copy, 'mdat') + 4);
  }),
  changed('a handler that nobody knows', ANY_REFUSAL, frames, (file) => patch(file, 'hdlr', 8, 0x41414141)),
  changed('a codec that nobody knows', ANY_REFUSAL, frames, (file) => encrypt(file, 'avc1', 'zzzz')),
  changed('parameters of H.264 zeroed', READY_OR_REFUSED, frames, (file) => {
    const copy = Buffer.from(file);
    const start = at(copy, 'avcC') + 4;
    return copy.fill(0, start, start + 20);
  }),
  {
    title: '70 tracks',
    becomes: 'limit_tracks',
    make: (shop) =>
      made(shop, ...tone(0.1), ...Array.from({ length: 70 }, () => ['-map', '0']).flat(), '-c:a', 'aac', 'mp4'),
  },
  {
    title: 'fragments',
    becomes: 'ready',
    make: (shop) =>
      made(shop, ...picture('160x120', '25', 0.4), '-c:v', 'libx264', '-movflags', '+frag_keyframe+empty_moov', 'mp4'),
  },
]);

const CENC = ['-encryption_scheme', 'cenc-aes-ctr', '-encryption_key', '00112233445566778899aabbccddeeff'];
const KEY_ID = ['-encryption_kid', '00112233445566778899aabbccddeeff'];
hostileFiles('MP4: encrypted', [
  {
    title: 'Common Encryption by FFmpeg',
    becomes: 'encrypted',
    short: true,
    make: (shop) =>
      made(
        shop,
        ...picture('160x120', '25', 0.4),
        ...tone(0.4),
        '-c:v',
        'libx264',
        '-c:a',
        'aac',
        ...CENC,
        ...KEY_ID,
        'mp4',
      ),
  },
  changed('encv', 'encrypted', early, (file) => encrypt(file, 'avc1', 'encv')),
  changed('enca', 'encrypted', early, (file) => encrypt(file, 'mp4a', 'enca')),
  changed('enca alone', 'encrypted', sound, (file) => encrypt(file, 'mp4a', 'enca')),
  changed('FairPlay', 'encrypted', sound, (file) => encrypt(file, 'mp4a', 'drms')),
]);

const coded = (width: number, height: number) => (file: Buffer) => {
  const copy = Buffer.from(file);
  const start = at(copy, 'avc1') + 4 + 24;
  bytes(u16(width), u16(height)).copy(copy, start);
  return copy;
};
/** Pixels that are `h` to `v`, as pasp says. */
const pixels = (h: number, v: number) => (file: Buffer) => {
  const copy = Buffer.from(file);
  const start = at(copy, 'pasp') + 4;
  bytes(u32(h), u32(v)).copy(copy, start);
  return copy;
};
const shaped = (shop: Workshop) => silent(shop, 'mp4', '-vf', 'setsar=4/3', '-movflags', '+faststart');
hostileFiles('MP4: sizes', [
  changed('65535x65535 by its entry', READY_OR_REFUSED, frames, coded(65_535, 65_535)),
  changed('0x0 by its entry', READY_OR_REFUSED, frames, coded(0, 0)),
  changed('pixels two billion times as wide as high', READY_OR_REFUSED, shaped, pixels(0x7fff_ffff, 1)),
  changed('pixels two hundred times as wide as high', READY_OR_REFUSED, shaped, pixels(200, 1)),
  changed('pixels of no shape', READY_OR_REFUSED, shaped, pixels(0, 0)),
]);
