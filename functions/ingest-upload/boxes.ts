import { BOX_HEADER_BYTES, readBoxHeader } from '../../core/media/boxes.ts';
import type { Read } from './blocks.ts';

/** Types that stand at the beginning of an MP4 or a QuickTime file. */
const FIRST = new Set(['ftyp', 'moov', 'mdat', 'wide', 'skip', 'free', 'pnot']);
/** A fragmented file has one of these for every second or so; its moov comes before them. */
const MAX_BOXES = 64;

/**
 * Whether the file is surely an MP4 or MOV and surely has no index: its boxes were followed to the end, and none was `moov`. The same
 * holds for a file whose last box reaches beyond the end: it was cut off, and the index would have come after it.
 */
export async function moovIsMissing(read: Read, size: number): Promise<boolean> {
  let at = 0;
  for (let boxes = 0; boxes < MAX_BOXES; boxes++) {
    if (at + 8 > size) return boxes > 0;
    const box = readBoxHeader(await read(at, Math.min(at + BOX_HEADER_BYTES, size)), size - at);
    if (box === null || (boxes === 0 && !FIRST.has(box.type))) return false;
    if (box.type === 'moov' || box.type === 'moof' || !/^[\x20-\x7e\xa9]{4}$/.test(box.type)) return false;
    if (box.size < box.header) return false;
    at += box.size;
  }
  return false;
}
