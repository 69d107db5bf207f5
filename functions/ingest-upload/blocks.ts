/** Bytes of the object from `start` up to `end`, exclusive. */
export type Read = (start: number, end: number) => Promise<Uint8Array>;

/** A parser asks for a few bytes at a time, 300 times for one MPEG-TS; S3 charges by the request. */
const BLOCK_BYTES = 32 * 1024;

/** A real file takes at most some thousands; a parser that is caught in a loop asks for the same bytes for ever. */
const READ_BUDGET = 10_000;

/** Reads whole aligned blocks, each once, and at most `budget` bytes in all, in at most READ_BUDGET reads: a read beyond either throws. */
export function inBlocks(read: Read, size: number, budget: number): Read {
  const blocks = new Map<number, Promise<Uint8Array>>();
  let left = budget;
  const block = (index: number) => {
    const known = blocks.get(index);
    if (known) return known;
    const start = index * BLOCK_BYTES;
    const end = Math.min(start + BLOCK_BYTES, size);
    left -= end - start;
    if (left < 0) throw new Error('The byte budget is spent.');
    const asked = read(start, end);
    blocks.set(index, asked);
    return asked;
  };
  let reads = 0;
  return async (start, end) => {
    if (++reads > READ_BUDGET) throw new Error('The budget of reads is spent.');
    // Checked before they are allocated, because the file may give any 64-bit number as a length.
    if (start < 0 || end < start || end > size || end - start > budget)
      throw new Error('The file has no bytes in that range.');
    const bytes = new Uint8Array(end - start);
    for (let index = Math.floor(start / BLOCK_BYTES); index * BLOCK_BYTES < end; index++) {
      const origin = index * BLOCK_BYTES;
      const part = (await block(index)).subarray(Math.max(start - origin, 0), end - origin);
      bytes.set(part, Math.max(origin - start, 0));
    }
    return bytes;
  };
}
