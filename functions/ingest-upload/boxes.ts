import type { Read } from './blocks.ts';

/** Types that stand at the beginning of an MP4 or a QuickTime file. */
const FIRST = new Set(['ftyp', 'moov', 'mdat', 'wide', 'skip', 'free', 'pnot']);
/** A fragmented file has one of these for every second or so; its moov comes before them. */
const MAX_BOXES = 64;

/**
 * Whether the file is surely an MP4 or MOV and surely has no index: its boxes were followed to the end, and none was `moov`.
 * A file whose last box reaches beyond the end was cut off, and is told so too, for the index would have come after it.
 */
export async function moovIsMissing(read: Read, size: number): Promise<boolean> {
  let at = 0;
  for (let boxes = 0; boxes < MAX_BOXES; boxes++) {
    if (at + 8 > size) return boxes > 0;
    const header = await read(at, Math.min(at + 16, size));
    const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
    const type = String.fromCharCode(...header.subarray(4, 8));
    if (boxes === 0 && !FIRST.has(type)) return false;
    if (type === 'moov' || type === 'moof' || !/^[\x20-\x7e\xa9]{4}$/.test(type)) return false;
    const length = boxLength(view);
    // 0: to the end of the file.
    if (length === 0) return true;
    if (length === null || length < 8) return false;
    at += length;
  }
  return false;
}

function boxLength(view: DataView): number | null {
  const short = view.getUint32(0);
  if (short !== 1) return short;
  return view.byteLength < 16 ? null : Number(view.getBigUint64(8));
}
