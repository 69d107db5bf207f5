import { type FileHandle, open } from 'node:fs/promises';
import { BOX_HEADER_BYTES, readBoxHeader } from '../../core/media/boxes.ts';

export interface BoxInFile {
  type: string;
  offset: number;
  size: number;
  /** Reads what follows the header. For boxes that fit in memory. */
  body(): Promise<Uint8Array>;
}

/** The boxes of a file's top level, one after the other. Ends where the next is cut off or is none. */
export async function* walkBoxes(handle: FileHandle): AsyncGenerator<BoxInFile> {
  const { size: total } = await handle.stat();
  for (let offset = 0; offset < total; ) {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BOX_HEADER_BYTES), 0, BOX_HEADER_BYTES, offset);
    const box = readBoxHeader(buffer.subarray(0, bytesRead), total - offset);
    if (box === null || box.size < box.header) return;
    const { type, size, header } = box;
    const start = offset;
    yield {
      type,
      offset,
      size,
      async body() {
        const length = size - header;
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
