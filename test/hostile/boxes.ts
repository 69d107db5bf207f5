/** Builders of container files, byte by byte: what no honest muxer would write. */

export function bytes(...parts: (string | number | Uint8Array | readonly number[])[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part, 'latin1');
      if (typeof part === 'number') return u32(part);
      return Buffer.from(part);
    }),
  );
}

export function u32(n: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(n >>> 0);
  return buffer;
}

export function u16(n: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(n & 0xffff);
  return buffer;
}

export function le32(n: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(n >>> 0);
  return buffer;
}

function le16(n: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(n & 0xffff);
  return buffer;
}

/** A box of ISO/IEC 14496-12: size, type, body. */
export function box(type: string, ...body: (string | number | Uint8Array | readonly number[])[]): Buffer {
  const inside = bytes(...body);
  return bytes(8 + inside.length, type, inside);
}

/** An EBML element with its size in eight bytes (RFC 8794). `size` may lie. */
export function ebml(id: readonly number[], body: Uint8Array, size = body.length): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64BE(0x0100000000000000n | BigInt(size));
  return Buffer.concat([Buffer.from(id), length, body]);
}

/** A chunk of RIFF. `size` may lie. */
export function chunk(type: string, body: Uint8Array, size = body.length): Buffer {
  return bytes(type, le32(size), body, body.length % 2 ? [0] : []);
}

export interface Wav {
  rate: number;
  channels?: number;
  bits?: number;
  /** WAVE_FORMAT_…: 1 is PCM. */
  format?: number;
  data: Uint8Array;
  /** What data says of its length. */
  dataSize?: number;
}

export function wav({ rate, channels = 1, bits = 16, format = 1, data, dataSize }: Wav): Buffer {
  const frame = (channels * bits) / 8;
  const fmt = bytes(le16(format), le16(channels), le32(rate), le32(rate * frame), le16(frame), le16(bits));
  const body = bytes('WAVE', chunk('fmt ', fmt), chunk('data', data, dataSize));
  return chunk('RIFF', body);
}

/**
 * The first box of a type, wherever it is nested: where its type stands, so that its body begins four bytes later. Four letters
 * without a size that fits before them are no box: ftyp names avc1 among its brands.
 */
export function at(file: Buffer, type: string): number {
  for (let found = file.indexOf(type, 4, 'latin1'); found >= 0; found = file.indexOf(type, found + 1, 'latin1')) {
    const size = file.readUInt32BE(found - 4);
    if (size >= 8 && found - 4 + size <= file.length) return found;
  }
  throw new Error(`no ${type} in the file`);
}

/** Writes 32 bits at an offset from the end of a box's type. */
export function patch(file: Buffer, type: string, offset: number, value: number): Buffer {
  const copy = Buffer.from(file);
  copy.writeUInt32BE(value >>> 0, at(copy, type) + 4 + offset);
  return copy;
}
