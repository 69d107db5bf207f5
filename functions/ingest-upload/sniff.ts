import type { ErrorCode } from '../../core/jobs/errors.ts';

export interface Sniffed {
  code: ErrorCode;
  message: string;
}

/** First bytes of what is surely no video or sound. */
const SIGNATURES: readonly { name: string; code: ErrorCode; bytes: string; at?: number }[] = [
  { name: 'a PNG picture', code: 'still_image', bytes: '\x89PNG\r\n\x1a\n' },
  { name: 'a JPEG picture', code: 'still_image', bytes: '\xff\xd8\xff' },
  { name: 'a GIF picture', code: 'still_image', bytes: 'GIF8' },
  { name: 'a WebP picture', code: 'still_image', bytes: 'WEBP', at: 8 },
  { name: 'a TIFF picture', code: 'still_image', bytes: 'II*\0' },
  { name: 'a TIFF picture', code: 'still_image', bytes: 'MM\0*' },
  { name: 'a Photoshop picture', code: 'still_image', bytes: '8BPS' },
  { name: 'a HEIC picture', code: 'still_image', bytes: 'ftypheic', at: 4 },
  { name: 'a HEIC picture', code: 'still_image', bytes: 'ftypheix', at: 4 },
  { name: 'a HEIF picture', code: 'still_image', bytes: 'ftypmif1', at: 4 },
  { name: 'an AVIF picture', code: 'still_image', bytes: 'ftypavif', at: 4 },
  { name: 'a PDF document', code: 'not_media', bytes: '%PDF-' },
  { name: 'a ZIP archive or an office document', code: 'not_media', bytes: 'PK\x03\x04' },
  { name: 'a gzip archive', code: 'not_media', bytes: '\x1f\x8b\x08' },
  { name: 'a RAR archive', code: 'not_media', bytes: 'Rar!\x1a\x07' },
  { name: 'a 7-Zip archive', code: 'not_media', bytes: '7z\xbc\xaf\x27\x1c' },
  { name: 'an Office document', code: 'not_media', bytes: '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' },
  { name: 'a program', code: 'not_media', bytes: '\x7fELF' },
  { name: 'a SQLite database', code: 'not_media', bytes: 'SQLite format 3\0' },
];

/** Texts that make a player or ffmpeg open other files. */
const PLAYLISTS = [
  /^#EXTM3U/,
  /^ffconcat version/,
  /^\[playlist\]/i,
  /<MPD[\s>]/,
  /<SmoothStreamingMedia/,
  /<asx[\s>]/i,
  /<smil[\s>]/i,
];

/** Why these first bytes of a file are refused; null when they may be media. */
export function sniff(start: Uint8Array): Sniffed | null {
  const known = SIGNATURES.find(({ bytes, at = 0 }) => startsWith(start, bytes, at));
  if (known) return { code: known.code, message: `The file is ${known.name}, not a video or a sound.` };
  const text = textOf(start);
  if (text === null) return null;
  if (PLAYLISTS.some((pattern) => pattern.test(text))) {
    return { code: 'playlist_refused', message: 'The file is a playlist that names other files, not media itself.' };
  }
  return { code: 'not_media', message: 'The file holds text, not a video or a sound.' };
}

function startsWith(bytes: Uint8Array, signature: string, at: number): boolean {
  return [...signature].every((char, i) => bytes[at + i] === char.charCodeAt(0));
}

/** Shorter than this could be anything. */
const MIN_TEXT = 4;

/** The bytes as text without its byte order mark, when they are nothing but text. */
function textOf(bytes: Uint8Array): string | null {
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  // Two bytes that an MP3 frame may begin with as well: only when every other byte is a zero is it plain Latin text.
  if (utf16) return bytes.length >= MIN_TEXT && zeroesEveryOther(bytes) ? '' : null;
  if (bytes.length < MIN_TEXT) return null;
  if (bytes.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0c && byte !== 0x0d))
    return null;
  if (bytes.some((byte) => byte === 0x7f)) return null;
  try {
    // As a stream: the last character may be cut.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true }).trimStart();
  } catch {
    return null;
  }
}

function zeroesEveryOther(bytes: Uint8Array): boolean {
  const odd = bytes[0] === 0xff ? 1 : 0;
  return bytes.subarray(2).every((byte, i) => i % 2 !== odd || byte === 0);
}
