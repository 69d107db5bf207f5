import { describe, expect, it, test } from 'vitest';
import { isPlainText, sniff } from '../../../../core/media/sniff.ts';

const latin = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const utf8 = (text: string) => new TextEncoder().encode(text);
const chunk = (type: string, data = '') => {
  const bytes = String.fromCharCode(
    data.length >>> 24,
    (data.length >> 16) & 255,
    (data.length >> 8) & 255,
    data.length & 255,
  );
  return `${bytes}${type}${data}\0\0\0\0`;
};
const png = (...chunks: string[]) => `\x89PNG\r\n\x1a\n${chunks.join('')}`;
const codeOf = (text: string) => sniff(latin(text))?.code ?? null;

test.each<[string, string | null, string]>([
  ['HLS', 'playlist_refused', '#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1/a.ts\n'],
  ['HLS after a byte order mark and blank lines', 'playlist_refused', '\xef\xbb\xbf\n\n#EXTM3U\n'],
  ['PLS', 'playlist_refused', '[playlist]\nFile1=/etc/passwd\n'],
  ['a concat script', 'playlist_refused', 'ffconcat version 1.0\nfile /etc/passwd\n'],
  ['a concat script without its first line', 'playlist_refused', "# films\nfile '/etc/passwd'\n"],
  ['DASH', 'playlist_refused', '<?xml version="1.0"?>\n<!-- hello -->\n<MPD>'],
  ['DASH after comments, with a byte that is not UTF-8', 'playlist_refused', `${'<!---->'.repeat(500)}<MPD \xff>`],
  ['SMIL', 'playlist_refused', '<smil><body/></smil>'],
  ['SDP', 'playlist_refused', 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n'],
  ['PNG', 'still_image', '\x89PNG\r\n\x1a\n'],
  ['JPEG', 'still_image', '\xff\xd8\xff\xe0\0\x10JFIF'],
  [
    'PNG whose data names the chunk of an animation',
    'still_image',
    png(chunk('IHDR'), chunk('IDAT', 'acTL'), chunk('acTL')),
  ],
  [
    'PNG whose text names the chunk of an animation',
    'still_image',
    png(chunk('IHDR'), chunk('tEXt', 'acTL'), chunk('IDAT')),
  ],
  ['GIF, which may move', null, 'GIF89a\x01\0\x01\0'],
  ['APNG', null, png(chunk('IHDR'), chunk('acTL'), chunk('IDAT'))],
  [
    'APNG with a colour profile',
    null,
    png(chunk('IHDR'), chunk('iCCP', 'p'.repeat(5000)), chunk('acTL'), chunk('IDAT')),
  ],
  ['WebP', 'still_image', 'RIFF\x24\0\0\0WEBPVP8 '],
  ['BMP', 'still_image', 'BM\x36\0\0\0\0\0\0\0'],
  ['HEIC', 'still_image', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'],
  ['AVIF', 'still_image', '\0\0\0\x1cftypavif\0\0\0\0'],
  ['PDF', 'not_media', '%PDF-1.7\n'],
  ['ZIP', 'not_media', 'PK\x03\x04\x14\0'],
  ['MP4', null, '\0\0\0\x18ftypisom\0\0\x02\0isomiso2'],
  ['Matroska', null, '\x1aE\xdf\xa3\x01\0\0\0'],
  ['WAV', null, 'RIFF\x24\0\0\0WAVEfmt '],
  ['AVI', null, 'RIFF\x24\0\0\0AVI LIST'],
  ['MPEG-TS', null, 'G@\x11\x10\0B\xf0%\0'],
  ['ASF', null, '0&\xb2u\x8ef\xcf\x11\xa6\xd9'],
  ['Ogg', null, 'OggS\0\x02\0\0'],
  ['FLAC', null, 'fLaC\0\0\0\x22'],
  ['MP3 frames', null, '\xff\xfb\x90\x64\0\0'],
  ['an ID3 tag', null, 'ID3\x03\0\0\0\0\0\x0a'],
  ['a binary file with a word of a script in it', null, '\0\0\nfile x\n'],
  // That this takes no time is held for every pattern by test/unit/regular-expressions.test.ts.
  ['4 KB of XML comments without an element', null, `${'<!---->'.repeat(585)}\xff`],
  ['prose', null, 'Dear diary, today I renamed a letter.\n'],
  ['three bytes', null, 'abc'],
])('%s: %s', (_, code, text) => {
  expect(codeOf(text)).toBe(code);
});

describe('plain text', () => {
  it.each<[string, boolean, Uint8Array]>([
    ['prose', true, utf8('Hello, this is my holiday.\n')],
    ['umlauts that are cut within a character', true, utf8('Grüße ü').subarray(0, 9)],
    ['JSON', true, utf8('{"a": 1}')],
    ['HTML', true, utf8('<!DOCTYPE html><html>')],
    ['UTF-16', true, latin('\xff\xfeH\0e\0l\0l\0o\0')],
    ['MP3 frames that look like a byte order mark', false, latin('\xff\xfe\x90\x64\x12\x34\x56')],
    ['a byte that is not UTF-8', false, latin('Hello \xff')],
    ['a control character', false, latin('Hello \x01')],
    ['three bytes', false, latin('abc')],
  ])('%s: %s', (_, expected, head) => {
    expect(isPlainText(head)).toBe(expected);
  });
});
