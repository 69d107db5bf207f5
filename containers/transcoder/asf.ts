import type { Bytes } from './box-walk.ts';

/** Bytes of an object's GUID and size (Advanced Systems Format specification, 2.1). */
const OBJECT = 24;
/** GUID of the simple index (10.8), which stands behind the data. */
const INDEX = Buffer.from('90080033b1e5cf1189f400a0c90349cb', 'hex');
/** The index of a day, with an entry of 6 bytes a second, has half of that. */
const TAIL = 1024 * 1024;

/**
 * How the data of an ASF fits the sizes in it: how many of its bytes are missing, and whether it has been shifted, so that parts of it are
 * missing or doubled. FFmpeg goes on with the next packet that it finds, without a word.
 */
export async function fitsItself(file: Bytes): Promise<{ missing: number; isShifted: boolean }> {
  const head = await sizeAt(file, 0);
  const data = await sizeAt(file, head);
  // A recorder that could not go back to the head says 0.
  if (data <= OBJECT) return { missing: 0, isShifted: false };
  const end = head + data;
  const from = Math.max(head, file.size - TAIL);
  const index = (await file.read(from, TAIL)).lastIndexOf(INDEX);
  return { missing: Math.max(0, end - file.size), isShifted: index >= 0 && from + index !== end };
}

async function sizeAt(file: Bytes, at: number): Promise<number> {
  const object = await file.read(at, OBJECT);
  return object.length < OBJECT ? 0 : Number(object.readBigUInt64LE(16));
}
