import { type FileHandle, open } from 'node:fs/promises';

/** Bytes of a tag's head: type, size, time (3 bytes and a fourth for its highest bits), stream (Adobe's FLV and F4V specification, E.4.1). */
const TAG_BYTES = 11;
/** Of the file's head (E.2), and the size of the tag before, of which there is none. */
const HEAD_BYTES = 13;
const [SOUND, PICTURE, SCRIPT] = [8, 9, 18];
/** No tag of the specification: FFmpeg passes over it. */
const HIDDEN = 15;
/** Milliseconds by which a track's time may step back without a joint. */
const GLITCH = 500;
/** Bytes that are read at once. */
const WINDOW_BYTES = 65_536;

/**
 * Makes one recording of FLV files that are joined end to end: FFmpeg takes a head in the middle for a tag of 5 MB, and leaves out what steps
 * back in time. Heads are hidden and times written anew, in place. It may be stopped and repeated: behind a hidden head, times that step
 * back go on from what comes before them. A file without such heads is left as it is, and so is anything but FLV.
 */
export async function mendFlvJoints(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    const head = await read(handle, 0, HEAD_BYTES);
    if (head.toString('latin1', 0, 3) === 'FLV') await mend(handle, head.readUInt32BE(5) + 4);
  } finally {
    await handle.close();
  }
}

async function mend(handle: FileHandle, start: number): Promise<void> {
  const { size } = await handle.stat();
  const clock = new JoinedClock();
  let window: { start: number; bytes: Buffer } = { start: 0, bytes: Buffer.alloc(0) };
  for (let at = start; ; ) {
    if (at < window.start || at + TAG_BYTES + HEAD_BYTES > window.start + window.bytes.length) {
      window = { start: at, bytes: await read(handle, at, WINDOW_BYTES) };
    }
    const tag = window.bytes.subarray(at - window.start);
    if (tag.length < TAG_BYTES) return;
    if (tag.toString('latin1', 0, 3) === 'FLV') {
      clock.joined = true;
      at = await hideHead(handle, at, tag, size);
      continue;
    }
    const type = (tag[0] ?? 0) & 31;
    if (![SOUND, PICTURE, SCRIPT, HIDDEN].includes(type)) return;
    const time = tag.readUIntBE(4, 3) + (tag[7] ?? 0) * 2 ** 24;
    clock.joined ||= type === HIDDEN;
    const moved = type === SCRIPT || type === HIDDEN || isConfiguration(type, tag) ? time : clock.add(type, time);
    if (moved !== time) {
      const bytes = Buffer.of((moved >> 16) & 255, (moved >> 8) & 255, moved & 255, (moved >>> 24) & 255);
      await handle.write(bytes, 0, 4, at + 4);
    }
    at += TAG_BYTES + tag.readUIntBE(1, 3) + 4;
  }
}

/** Decoders' settings, whose time means nothing: of AAC (E.4.2.1), of H.264 (E.4.3.1), and of those that enhanced RTMP names by four letters. */
function isConfiguration(type: number, tag: Buffer): boolean {
  const [kind = 0, packet] = tag.subarray(TAG_BYTES);
  if (type === SOUND) return kind >> 4 === 10 && packet === 0;
  return kind & 0x80 ? (kind & 15) === 0 : (kind & 15) === 7 && packet === 0;
}

/**
 * Makes a head in the middle, and the tag of metadata behind it, one tag that nobody reads.
 * @returns where the next tag begins
 */
async function hideHead(handle: FileHandle, at: number, bytes: Buffer, end: number): Promise<number> {
  const behind = bytes.subarray(HEAD_BYTES);
  // Without such a tag there is no room to hide it in; FFmpeg then looks for the next tag by itself.
  if (behind.length < TAG_BYTES || ((behind[0] ?? 0) & 31) !== SCRIPT) return at + HEAD_BYTES;
  const size = HEAD_BYTES + TAG_BYTES + behind.readUIntBE(1, 3);
  if (at + size + 4 > end) return end;
  const tag = Buffer.alloc(TAG_BYTES);
  tag[0] = HIDDEN;
  tag.writeUIntBE(size - TAG_BYTES, 1, 3);
  // Each tag is followed by its size.
  const sizeBehind = Buffer.alloc(4);
  sizeBehind.writeUInt32BE(size);
  await handle.write(sizeBehind, 0, 4, at + size);
  await handle.write(tag, 0, TAG_BYTES, at);
  return at + size + 4;
}

/** Times in milliseconds, which go on behind a joint where they step back. */
class JoinedClock {
  /** Whether a joint has been met. */
  joined = false;
  readonly #tracks = new Map<number, { last: number; step: number }>();
  #offset = 0;

  add(track: number, time: number): number {
    const known = this.#tracks.get(track) ?? { last: time + this.#offset, step: 0 };
    if (this.joined && time + this.#offset < known.last - GLITCH) {
      this.#offset = Math.max(...[...this.#tracks.values()].map(({ last, step }) => last + step)) - time;
    }
    const moved = time + this.#offset;
    if (moved > known.last) known.step = moved - known.last;
    known.last = moved;
    this.#tracks.set(track, known);
    return moved;
  }
}

async function read(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at);
  return buffer.subarray(0, bytesRead);
}
