import { DropreelError } from '../jobs/errors.ts';

/** How many bytes of a file's beginning refuseByContent wants. */
export const SNIFF_BYTES = 4096;

const refusePlaylist = (what: string) =>
  new DropreelError(
    'playlist_refused',
    `The file is ${what}: it names other files instead of holding media. Upload the media itself.`,
  );

const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^#EXTM3U/, 'an HLS or M3U playlist'],
  [/^\[playlist\]/i, 'a PLS playlist'],
  [/^ffconcat version/, 'a concat script'],
  [/^;FFMETADATA/, 'an FFmpeg metadata script'],
  [/^(?:file|stream|inpoint)\s+['"]?\S+/m, 'a concat script'],
  [/^v=0\r?\n/, 'a session description (SDP)'],
  [/^<asx\b/i, 'an ASX playlist'],
  [
    /^(?:<\?xml[^>]*\?>\s*)?(?:<!--[\s\S]*?-->\s*)*<(?:MPD|smil|SmoothStreamingMedia|playlist)\b/i,
    'a streaming manifest',
  ],
  [/^\[Reference\]/i, 'a reference file'],
];

const PICTURES: readonly (readonly [(head: Uint8Array) => boolean, string])[] = [
  [(head) => ascii(head, 1, 4) === 'PNG', 'PNG'],
  [(head) => head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff, 'JPEG'],
  [(head) => /^GIF8[79]a$/.test(ascii(head, 0, 6)), 'GIF'],
  [(head) => ascii(head, 0, 4) === 'RIFF' && ascii(head, 8, 12) === 'WEBP', 'WebP'],
  [(head) => /^(?:II\*\0|MM\0\*)$/.test(ascii(head, 0, 4)), 'TIFF'],
  [(head) => ascii(head, 0, 2) === 'BM' && head[6] === 0 && head[8] === 0, 'BMP'],
  [
    (head) => ascii(head, 4, 8) === 'ftyp' && /^(?:hei[cxms]|hevc|mif1|msf1|avif|avis)$/.test(ascii(head, 8, 12)),
    'HEIF or AVIF',
  ],
];

/**
 * Refuses, from the first bytes, what no demuxer may be let near (anything that makes it open other files) and pictures.
 * FFmpeg's own detection of playlists depends on its version and on the file's name.
 */
export function refuseByContent(head: Uint8Array): DropreelError | null {
  const picture = PICTURES.find(([matches]) => matches(head));
  if (picture) return new DropreelError('still_image', `The file is a picture (${picture[1]}), not a video or sound.`);
  const text = ascii(head, 0, head.length)
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  // A binary file can hold any word; a script holds no control characters.
  const found = isText(text) ? TEXTS.find(([pattern]) => pattern.test(text)) : undefined;
  return found ? refusePlaylist(found[1]) : null;
}

function isText(text: string): boolean {
  return ![...text].some((character) => character < ' ' && !'\t\n\r\f'.includes(character));
}

function ascii(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, Math.min(to, bytes.length)));
}
