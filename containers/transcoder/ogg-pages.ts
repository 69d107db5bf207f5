import type { Bytes } from './box-walk.ts';

/** Bytes of a page's head before its table of segments, and of the largest page (RFC 3533, 6). */
const [HEAD, LARGEST] = [27, 65_307];
/** Bytes read at once. */
const WINDOW = 1024 * 1024;
/** header_type_flag: first page of a logical bitstream. */
const FIRST = 2;

/**
 * In how many places pages of an Ogg file are missing, by the numbers that each stream's pages have. FFmpeg goes on behind a page whose
 * first bytes are damaged, or that is not there, without a word.
 */
export async function missingPages(file: Bytes): Promise<number> {
  const next = new Map<number, number>();
  let places = 0;
  let window: { start: number; bytes: Buffer } = { start: 0, bytes: Buffer.alloc(0) };
  for (let at = 0; at + HEAD <= file.size; ) {
    const end = window.start + window.bytes.length;
    if (end < file.size && at + LARGEST > end) window = { start: at, bytes: await file.read(at, WINDOW) };
    const page = window.bytes.subarray(at - window.start);
    if (page.length < HEAD) break;
    if (page.toString('latin1', 0, 4) !== 'OggS') {
      const found = page.indexOf('OggS', 1);
      // The last three bytes may begin one.
      at += found > 0 ? found : page.length - 3;
      continue;
    }
    const [flags = 0, serial, number] = [page[5], page.readUInt32LE(14), page.readUInt32LE(18)];
    const expected = next.get(serial);
    if (expected !== undefined && number > expected && !(flags & FIRST)) places += 1;
    next.set(serial, number + 1);
    const segments = page[26] ?? 0;
    at += HEAD + segments + page.subarray(HEAD, HEAD + segments).reduce((sum, bytes) => sum + bytes, 0);
  }
  return places;
}
