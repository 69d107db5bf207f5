import type { FileHandle } from 'node:fs/promises';
import { DropreelError } from '../../core/contracts/errors.ts';
import { walkBoxes, withFile } from './box-walk.ts';

/**
 * Throws `corrupt` for a file of empty boxes, and `truncated` when the file's own structure reaches beyond its end: FFmpeg would encode
 * what is there without an error.
 * @param format FFmpeg's name of the demuxer
 */
export async function checkWhole(file: string, format: string): Promise<void> {
  const check = format.startsWith('mov,') ? missingOfBoxes : /^(?:avi|wav)$/.test(format) ? missingOfRiff : null;
  if (check === null) return;
  const missing = await withFile(file, async (handle) => check(handle, (await handle.stat()).size));
  if (missing > 0) {
    throw new DropreelError('truncated', `The file is cut off: ${missing} bytes of its media are missing.`);
  }
}

/** A day in fragments of a second, each with its own index, has some 350,000. */
const MAX_BOXES = 1_000_000;
/** Writers count the head of a box or chunk, eight bytes, twice or not at all. A cut of so few bytes shows when they are decoded. */
const OFF_BY = 8;
const MEDIA_BOXES = new Set(['mdat', 'moov', 'moof']);

async function missingOfBoxes(handle: FileHandle, size: number): Promise<number> {
  let boxes = 0;
  // Junk after the last box is common and harmless.
  for await (const box of walkBoxes(handle)) {
    if (++boxes > MAX_BOXES) throw new DropreelError('corrupt', `The file has more than ${MAX_BOXES} boxes.`);
    const missing = box.offset + box.size - size;
    if (missing > OFF_BY) return MEDIA_BOXES.has(box.type) ? missing : 0;
  }
  return 0;
}

/** A recorder that cannot seek back to the header leaves a size near the largest there. */
const UNKNOWN_SIZE = 0x7ff00000;

async function missingOfRiff(handle: FileHandle, size: number): Promise<number> {
  const riff = await sizeOfRiff(handle);
  const missing = riff + 8 - size;
  return riff >= UNKNOWN_SIZE || missing <= OFF_BY ? 0 : missing;
}

/** Of another file than RIFF too, where it means nothing: FFmpeg reads what comes behind an ID3 tag. */
async function sizeOfRiff(handle: FileHandle): Promise<number> {
  const { buffer } = await handle.read(Buffer.alloc(8), 0, 8, 0);
  return buffer.toString('latin1', 0, 4) === 'RIFF' ? buffer.readUInt32LE(4) : 0;
}

/** Whether an AVI was written by a recorder that could not go back to its head, whose length means nothing then. */
export async function isUnfinished(file: string, format: string): Promise<boolean> {
  return format === 'avi' && (await withFile(file, sizeOfRiff)) >= UNKNOWN_SIZE;
}
