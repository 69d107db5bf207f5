/** Sources of fewer bytes are downloaded: that takes less than half a second, and each pass over them then costs no request. */
export const SMALL_BYTES = 64 * 1024 * 1024;

/** EBML's mark (RFC 8794, 11.2.1). */
const EBML = [0x1a, 0x45, 0xdf, 0xa3];
/** Types of the first box of an MP4 or MOV (ISO/IEC 14496-12, 4.3; QuickTime File Format, "Atoms"). */
const FIRST_BOX = /^(?:ftyp|moov|mdat|free|skip|wide|pnot)$/;

/** The kinds of containers that may be read in place: they have an index, which need not be there. */
export function indexedKind(head: Uint8Array): 'boxes' | 'matroska' | undefined {
  if (EBML.every((byte, i) => head[i] === byte)) return 'matroska';
  return FIRST_BOX.test(String.fromCharCode(...head.subarray(4, 8))) ? 'boxes' : undefined;
}

/** Whether a worker may encode a source without having it on its disk; false: it certainly downloads it. */
export function mayBeReadInPlace(head: Uint8Array, size: number): boolean {
  return size >= SMALL_BYTES && indexedKind(head) !== undefined;
}
