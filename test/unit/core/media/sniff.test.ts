import { expect, test } from 'vitest';
import { refuseByContent } from '../../../../core/media/sniff.ts';

const codeOf = (text: string) =>
  refuseByContent(Uint8Array.from(text, (character) => character.charCodeAt(0)))?.code ?? null;

test.each<[string, string | null, string]>([
  ['HLS', 'playlist_refused', '#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1/a.ts\n'],
  ['HLS after a byte order mark and blank lines', 'playlist_refused', '\xef\xbb\xbf\n\n#EXTM3U\n'],
  ['PLS', 'playlist_refused', '[playlist]\nFile1=/etc/passwd\n'],
  ['a concat script', 'playlist_refused', 'ffconcat version 1.0\nfile /etc/passwd\n'],
  ['a concat script without its first line', 'playlist_refused', "# films\nfile '/etc/passwd'\n"],
  ['DASH', 'playlist_refused', '<?xml version="1.0"?>\n<!-- hello -->\n<MPD>'],
  ['SMIL', 'playlist_refused', '<smil><body/></smil>'],
  ['SDP', 'playlist_refused', 'v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n'],
  ['PNG', 'still_image', '\x89PNG\r\n\x1a\n'],
  ['JPEG', 'still_image', '\xff\xd8\xff\xe0\0\x10JFIF'],
  ['GIF', 'still_image', 'GIF89a\x01\0\x01\0'],
  ['WebP', 'still_image', 'RIFF\x24\0\0\0WEBPVP8 '],
  ['HEIC', 'still_image', '\0\0\0\x18ftypheic\0\0\0\0mif1heic'],
  ['AVIF', 'still_image', '\0\0\0\x1cftypavif\0\0\0\0'],
  ['MP4', null, '\0\0\0\x18ftypisom\0\0\x02\0isomiso2'],
  ['WAV', null, 'RIFF\x24\0\0\0WAVEfmt '],
  ['an ID3 tag', null, 'ID3\x03\0\0\0\0\0\x0a'],
  ['a binary file with a word of a script in it', null, '\0\0\nfile x\n'],
  ['prose', null, 'Dear diary, today I renamed a letter.\n'],
])('%s: %s', (_, code, text) => {
  expect(codeOf(text)).toBe(code);
});
