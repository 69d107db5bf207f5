import { type FileHandle, open } from 'node:fs/promises';
import { BOX_HEADER_BYTES, readBoxHeader } from '../../core/media/boxes.ts';
import type { ByteRange } from '../../core/media/media-playlist.ts';

/** What can be read at any place. */
export interface Bytes {
  size: number;
  /** Fewer bytes than asked for at the end. */
  read(at: number, length: number): Promise<Buffer>;
}

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
export async function* walkBoxes(bytes: Bytes, range?: ByteRange): AsyncGenerator<BoxInFile> {
  const { size } = bytes;
  const total = range ? Math.min(size, range.offset + range.bytes) : size;
  let window: { start: number; bytes: Buffer } = { start: 0, bytes: Buffer.alloc(0) };
  for (let offset = range?.offset ?? 0; offset < total; ) {
    if (offset < window.start || offset + BOX_HEADER_BYTES > window.start + window.bytes.length) {
      window = { start: offset, bytes: await bytes.read(offset, WINDOW_BYTES) };
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
        return bytes.read(start + header, length);
      },
    };
    offset += size;
  }
}

/** Opens a file for as long as `use` takes. */
export async function withFile<T>(path: string, use: (bytes: Bytes) => Promise<T>): Promise<T> {
  const handle = await open(path);
  try {
    return await use(await bytesOf(handle));
  } finally {
    await handle.close();
  }
}

async function bytesOf(handle: FileHandle): Promise<Bytes> {
  const { size } = await handle.stat();
  return {
    size,
    async read(at, length) {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at);
      return buffer.subarray(0, bytesRead);
    },
  };
}
