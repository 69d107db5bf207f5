/** ISO base media file format boxes (ISO/IEC 14496-12), as far as checks of our own CMAF output need them. */

export interface Box {
  type: string;
  /** Of the whole box, in bytes. */
  size: number;
  /** Length of its header. */
  header: number;
}

/** The longest header: 32-bit size, type, 64-bit size. */
export const BOX_HEADER_BYTES = 16;

/** Null when fewer bytes are given than a header has. A size of 0 means: up to the end of the file (`rest` bytes). */
export function readBoxHeader(bytes: Uint8Array, rest: number): Box | null {
  if (bytes.length < 8) return null;
  const view = viewOf(bytes);
  const type = String.fromCharCode(...bytes.subarray(4, 8));
  const size = view.getUint32(0);
  if (size === 0) return { type, size: rest, header: 8 };
  if (size !== 1) return { type, size, header: 8 };
  return bytes.length < 16 ? null : { type, size: Number(view.getBigUint64(8)), header: 16 };
}

/** The bodies of the boxes in `bytes` that have this type. */
export function bodies(bytes: Uint8Array, type: string): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const box = readBoxHeader(bytes.subarray(at, at + BOX_HEADER_BYTES), bytes.length - at);
    if (box === null || box.size < box.header) break;
    if (box.type === type) found.push(bytes.subarray(at + box.header, at + box.size));
    at += box.size;
  }
  return found;
}

/**
 * The body at a path of nested boxes.
 * @throws Error when there is none
 */
export function body(bytes: Uint8Array, ...path: string[]): Uint8Array {
  let at = bytes;
  for (const type of path) {
    const [next] = bodies(at, type);
    if (next === undefined) throw new Error(`no ${type} box in ${path.join('/')}`);
    at = next;
  }
  return at;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
