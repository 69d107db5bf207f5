import { type FileHandle, open } from 'node:fs/promises';
import { BOX_HEADER_BYTES, readBoxHeader } from '../../core/media/boxes.ts';
import type { ByteRange } from '../../core/media/media-playlist.ts';

export interface BoxInFile {
  type: string;
  offset: number;
  size: number;
  /** Reads the content after the header; only for boxes that fit in memory. */
  body(): Promise<Uint8Array>;
}

/** Bytes read at once: enough for hundreds of empty boxes, or for the head of one large one. */
const WINDOW_BYTES = 4096;

/**
 * The boxes at a file's top level, in order. Ends where the next one is cut off or is not a box.
 * @param range the part of the file to look at, which begins with a box; all of it when absent
 */
export async function* walkBoxes(handle: FileHandle, range?: ByteRange): AsyncGenerator<BoxInFile> {
  const { size } = await handle.stat();
  const total = range ? Math.min(size, range.offset + range.bytes) : size;
  let window = { start: 0, bytes: Buffer.alloc(0) };
  for (let offset = range?.offset ?? 0; offset < total; ) {
    if (offset < window.start || offset + BOX_HEADER_BYTES > window.start + window.bytes.length) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(WINDOW_BYTES), 0, WINDOW_BYTES, offset);
      window = { start: offset, bytes: buffer.subarray(0, bytesRead) };
    }
    const at = offset - window.start;
    const box = readBoxHeader(window.bytes.subarray(at, at + BOX_HEADER_BYTES), total - offset);
    if (box === null || box.size < box.header) return;
    const { type, size, header } = box;
    const start = offset;
    yield {
      type,
      offset,
      size,
      async body() {
        const length = Math.max(0, Math.min(size, total - start) - header);
        const read = await handle.read(Buffer.alloc(length), 0, length, start + header);
        return read.buffer.subarray(0, read.bytesRead);
      },
    };
    offset += size;
  }
}

/** Opens a file for as long as `use` takes. */
export async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}
