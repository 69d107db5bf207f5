import { describe, expect, it } from 'vitest';
import { sniff } from '../../../../functions/ingest-upload/sniff.ts';

const latin = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const utf8 = (text: string) => new TextEncoder().encode(text);

describe('first bytes that are refused', () => {
  it.each([
    ['PNG', latin('\x89PNG\r\n\x1a\n\0\0\0\rIHDR'), 'still_image'],
    ['JPEG', latin('\xff\xd8\xff\xe0\0\x10JFIF'), 'still_image'],
    ['GIF', latin('GIF89a\x01\0'), 'still_image'],
    ['WebP', latin('RIFF\x10\0\0\0WEBPVP8 '), 'still_image'],
    ['HEIC', latin('\0\0\0\x18ftypheic\0\0\0\0'), 'still_image'],
    ['PDF', latin('%PDF-1.7\n'), 'not_media'],
    ['ZIP', latin('PK\x03\x04\x14\0'), 'not_media'],
    ['text', utf8('Hello, this is my holiday.\n'), 'not_media'],
    ['text with umlauts cut within a character', utf8('Grüße ü').subarray(0, 9), 'not_media'],
    ['JSON', utf8('{"a": 1}'), 'not_media'],
    ['HTML', utf8('<!DOCTYPE html><html>'), 'not_media'],
    ['UTF-16 text', latin('\xff\xfeH\0e\0l\0l\0o\0'), 'not_media'],
    ['an HLS playlist', utf8('#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n'), 'playlist_refused'],
    ['an HLS playlist after a byte order mark', utf8('\ufeff#EXTM3U\nhttp://x/y.ts\n'), 'playlist_refused'],
    ['a concat script', utf8("ffconcat version 1.0\nfile '/etc/passwd'\n"), 'playlist_refused'],
    ['a DASH manifest', utf8('<?xml version="1.0"?>\n<MPD xmlns="x">'), 'playlist_refused'],
  ])('%s', (_, bytes, code) => {
    expect(sniff(bytes)?.code).toBe(code);
  });
});

describe('first bytes that may be media', () => {
  it.each([
    ['MP4', latin('\0\0\0\x20ftypisom\0\0\x02\0')],
    ['Matroska', latin('\x1aE\xdf\xa3\x01\0\0\0')],
    ['MP3 with tags', latin('ID3\x04\0\0\0\0\0\x22TSSE')],
    ['MP3 frames', latin('\xff\xfb\x90\x64\0\0')],
    ['MP3 frames that look like a byte order mark', latin('\xff\xfe\x90\x64\x12\x34\x56')],
    ['WAV', latin('RIFF\x24\0\0\0WAVEfmt ')],
    ['AVI', latin('RIFF\x24\0\0\0AVI LIST')],
    ['MPEG-TS', latin('G@\x11\x10\0B\xf0%\0')],
    ['ASF', latin('0&\xb2u\x8ef\xcf\x11\xa6\xd9')],
    ['Ogg', latin('OggS\0\x02\0\0')],
    ['FLAC', latin('fLaC\0\0\0\x22')],
    ['three bytes', latin('abc')],
  ])('%s', (_, bytes) => {
    expect(sniff(bytes)).toBeNull();
  });
});
