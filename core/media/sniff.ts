import type { ErrorCode } from '../contracts/errors.ts';

/** How many bytes of a file's beginning are examined: a PNG's colour profile and texts may come before the mark of an animation. */
export const SNIFF_BYTES = 64 * 1024;
/** Of these, how many show what text it is. */
const TEXT_BYTES = 4096;

export interface Sniffed {
  code: Extract<ErrorCode, 'playlist_refused' | 'still_image' | 'not_media'>;
  /** For the person who uploaded the file. */
  message: string;
}

/** First bytes of files that are not video or audio. https://www.iana.org/assignments/media-types, and each format's own page */
const SIGNATURES: readonly { name: string; code: 'still_image' | 'not_media'; bytes: string; at?: number }[] = [
  { name: 'a PNG picture', code: 'still_image', bytes: '\x89PNG\r\n\x1a\n' },
  { name: 'a JPEG picture', code: 'still_image', bytes: '\xff\xd8\xff' },
  { name: 'a WebP picture', code: 'still_image', bytes: 'WEBP', at: 8 },
  { name: 'a TIFF picture', code: 'still_image', bytes: 'II*\0' },
  { name: 'a TIFF picture', code: 'still_image', bytes: 'MM\0*' },
  { name: 'a Photoshop picture', code: 'still_image', bytes: '8BPS' },
  { name: 'a PDF document', code: 'not_media', bytes: '%PDF-' },
  { name: 'a ZIP archive or an office document', code: 'not_media', bytes: 'PK\x03\x04' },
  { name: 'a gzip archive', code: 'not_media', bytes: '\x1f\x8b\x08' },
  { name: 'a RAR archive', code: 'not_media', bytes: 'Rar!\x1a\x07' },
  { name: 'a 7-Zip archive', code: 'not_media', bytes: '7z\xbc\xaf\x27\x1c' },
  { name: 'an Office document', code: 'not_media', bytes: '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' },
  { name: 'a program', code: 'not_media', bytes: '\x7fELF' },
  { name: 'a SQLite database', code: 'not_media', bytes: 'SQLite format 3\0' },
];

/** Brands of pictures and their sequences in an ISO file. https://mp4ra.org/registered-types/brands */
const PICTURE_BRANDS = new Set(['heic', 'heix', 'heim', 'heis', 'hevc', 'mif1', 'msf1', 'avif', 'avis']);

/** Texts that make a player or FFmpeg open other files. None of these patterns is ambiguous. */
const PLAYLISTS: readonly (readonly [RegExp, string])[] = [
  [/^#EXTM3U/, 'an HLS or M3U playlist'],
  [/^\[playlist\]/i, 'a PLS playlist'],
  [/^\[reference\]/i, 'a reference file'],
  [/^ffconcat version/, 'a concat script'],
  [/^;FFMETADATA/, 'an FFmpeg metadata script'],
  [/^(?:file|stream|inpoint)[ \t]{1,64}\S/m, 'a concat script'],
  [/^v=0\r?\n/, 'a session description (SDP)'],
  [/<asx[\s/>]/i, 'an ASX playlist'],
  [/<(?:MPD|smil|SmoothStreamingMedia|playlist)[\s/>]/i, 'a streaming manifest'],
];

/**
 * Why a file that begins with these bytes is refused; null when it may be media. Playlists and scripts are detected here, before any
 * demuxer opens them, because FFmpeg's own detection depends on its version and on the file's name.
 */
export function sniff(head: Uint8Array): Sniffed | null {
  const known = SIGNATURES.find(({ bytes, at = 0 }) => ascii(head, at, at + bytes.length) === bytes);
  if (known && isAnimatedPng(head)) return null;
  if (known) return { code: known.code, message: `The file is ${known.name}, not video or audio.` };
  if (isPicture(head)) return { code: 'still_image', message: 'The file is a picture, not video or audio.' };
  const text = ascii(head, 0, TEXT_BYTES)
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart();
  // A binary file can contain any text; a script contains no control characters.
  const found = hasControls(text) ? undefined : PLAYLISTS.find(([pattern]) => pattern.test(text));
  if (!found) return null;
  const message = `The file is ${found[1]}: it names other files instead of holding media. Upload the media itself.`;
  return { code: 'playlist_refused', message };
}

/** Bytes of a PNG's signature, and of what a chunk has beside its data: length, type and checksum (PNG, third edition, 5.2 and 5.3). */
const [PNG_HEAD, PNG_CHUNK] = [8, 12];

/** Whether the chunk that makes an APNG of a PNG comes before its picture (PNG, third edition, 5.6), as far as these bytes tell. */
function isAnimatedPng(head: Uint8Array): boolean {
  if (ascii(head, 1, 4) !== 'PNG') return false;
  const { byteLength, byteOffset, buffer } = head;
  const view = new DataView(buffer, byteOffset, byteLength);
  for (let at = PNG_HEAD; at + 8 <= head.length; at += PNG_CHUNK + view.getUint32(at)) {
    const type = ascii(head, at + 4, at + 8);
    if (type === 'acTL') return true;
    if (type === 'IDAT') return false;
  }
  return false;
}

function isPicture(head: Uint8Array): boolean {
  if (ascii(head, 4, 8) === 'ftyp') return PICTURE_BRANDS.has(ascii(head, 8, 12));
  return ascii(head, 0, 2) === 'BM' && head[6] === 0 && head[8] === 0;
}

/** A shorter text could be anything. */
const MIN_TEXT = 4;

/** Whether the bytes are only text: UTF-8, or Latin letters as UTF-16. */
export function isPlainText(head: Uint8Array): boolean {
  if (head.length < MIN_TEXT) return false;
  const utf16 = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  // Two bytes that an MP3 frame may begin with as well: it is plain Latin text only when every other byte is zero.
  if (utf16) return zeroesEveryOther(head);
  if (hasControls(ascii(head, 0, head.length))) return false;
  try {
    // Decoded as a stream, because the last character may be cut.
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function hasControls(latin: string): boolean {
  return [...latin].some((character) => (character < ' ' && !'\t\n\r\f'.includes(character)) || character === '\x7f');
}

function zeroesEveryOther(bytes: Uint8Array): boolean {
  const odd = bytes[0] === 0xff ? 1 : 0;
  return bytes.subarray(2).every((byte, i) => i % 2 !== odd || byte === 0);
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, Math.min(to, bytes.length)));
}
