import { crc32 } from 'node:zlib';
import type { Bytes } from './box-walk.ts';
import { type Element, elementAt } from './ebml.ts';

/** Matroska's elements (RFC 9559, 5.1). */
const [EBML, SEGMENT, CLUSTER, INFO, TIME, SCALE] = [0x1a45dfa3, 0x18538067, 0x1f43b675, 0x1549a966, 0xe7, 0x2ad7b1];
/** An element's checksum: the first in it, of 4 bytes, of all that follows (RFC 8794, 11.3.1). */
const [CRC, CRC_BYTES] = [0xbf, 4];
/** Bytes of the largest head of an element, and of a checksum with a time behind it. */
const [HEAD, BEGINNING] = [12, 24];
const WINDOW = 1024 * 1024;
/** Bytes in which heads of elements are looked for at once: those of clusters are further apart. */
const HEADS = 4096;
/** A day in clusters of a tenth of a second has fewer. */
const MOST_ELEMENTS = 1_000_000;
/** Nanoseconds. */
const USUAL_SCALE = 1_000_000;

/** More clusters of a file are not all damaged: its writer does not keep checksums right. */
const MANY = 10;

/**
 * Clusters of a Matroska file that do not fit the checksum in them, which FFmpeg writes and does not compare: how many, and the time of the
 * first in seconds of the file's clock. None where nearly all are wrong.
 */
export async function wrongClusters(file: Bytes): Promise<{ count: number; at: number | undefined }> {
  const found = { count: 0, at: undefined as number | undefined };
  let scale = USUAL_SCALE;
  let checked = 0;
  for await (const element of elements(file)) {
    if (element.id === INFO && element.bytes < WINDOW)
      scale = scaleOf(await file.read(element.start, element.bytes)) ?? scale;
    if (element.id !== CLUSTER) continue;
    const beginning = await file.read(element.start, BEGINNING);
    const crc = elementAt(beginning, 0);
    if (crc?.id !== CRC || crc.bytes !== CRC_BYTES || crc.start + CRC_BYTES > element.bytes) continue;
    checked += 1;
    const from = crc.start + CRC_BYTES;
    if ((await checksum(file, element.start + from, element.bytes - from)) === beginning.readUInt32LE(crc.start))
      continue;
    found.count += 1;
    const time = elementAt(beginning, from);
    if (found.count > 1 || time?.id !== TIME || time.bytes < 1 || time.bytes > 6) continue;
    if (time.start + time.bytes > Math.min(element.bytes, beginning.length)) continue;
    found.at = (beginning.readUIntBE(time.start, time.bytes) * scale) / 1e9;
  }
  return checked >= MANY && found.count > 0.9 * checked ? { count: 0, at: undefined } : found;
}

/** What the segment is made of, up to what is cut off, or of no known size: a recorder that cannot go back writes no checksums. */
async function* elements(file: Bytes): AsyncGenerator<Element> {
  let window: { start: number; bytes: Buffer } = { start: 0, bytes: Buffer.alloc(0) };
  // A hostile file may have millions of elements of two bytes.
  const read = async (at: number) => {
    if (at < window.start || at + HEAD > window.start + window.bytes.length) {
      window = { start: at, bytes: await file.read(at, HEADS) };
    }
    const element = elementAt(window.bytes, at - window.start);
    return element && { ...element, start: window.start + element.start };
  };
  const head = await read(0);
  if (head?.id !== EBML) return;
  const segment = await read(head.start + head.bytes);
  if (segment?.id !== SEGMENT) return;
  let at = segment.start;
  for (let count = 0; at < file.size && count < MOST_ELEMENTS; count++) {
    const element = await read(at);
    if (!element || element.start + element.bytes > file.size) return;
    yield element;
    at = element.start + element.bytes;
  }
}

function scaleOf(info: Buffer): number | undefined {
  for (let at = 0; at < info.length; ) {
    const element = elementAt(info, at);
    if (!element) return undefined;
    if (element.id === SCALE && element.bytes <= 6 && element.start + element.bytes <= info.length)
      return element.bytes === 0 ? undefined : info.readUIntBE(element.start, element.bytes);
    at = element.start + element.bytes;
  }
  return undefined;
}

async function checksum(file: Bytes, start: number, bytes: number): Promise<number> {
  let value = 0;
  for (let at = start; at < start + bytes; at += WINDOW) {
    value = crc32(await file.read(at, Math.min(WINDOW, start + bytes - at)), value);
  }
  return value;
}
