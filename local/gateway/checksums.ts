import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** The checksums that S3 supports, as its headers and XML name them. */
export const CHECKSUM_ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** An incremental digest. */
export interface Digest {
  update(chunk: Uint8Array): void;
  /** Big-endian. Called once. */
  digest(): Buffer;
}

export function createDigest(algorithm: ChecksumAlgorithm | 'MD5'): Digest {
  switch (algorithm) {
    case 'CRC32':
      return crc32Digest((chunk, before) => crc32(chunk, before));
    case 'CRC32C':
      return crc32Digest(crc32c);
    case 'CRC64NVME':
      return crc64Digest();
    default:
      return createHash(algorithm.toLowerCase());
  }
}

/** Length of a value in bytes. */
export const CHECKSUM_LENGTH: Readonly<Record<ChecksumAlgorithm, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
};

export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm.toLowerCase()}`;
}

export function isChecksumAlgorithm(text: string): text is ChecksumAlgorithm {
  return (CHECKSUM_ALGORITHMS as readonly string[]).includes(text);
}

function crc32Digest(step: (chunk: Uint8Array, before: number) => number): Digest {
  let value = 0;
  return {
    update(chunk) {
      value = step(chunk, value);
    },
    digest() {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value >>> 0);
      return bytes;
    },
  };
}

/** Reflected polynomials: CRC-32C (Castagnoli), and CRC-64/NVME of the NVM Express specification. */
const POLYNOMIAL_32C = 0x82f63b78;
const POLYNOMIAL_64 = 0x9a6c9329ac4bc9b5n;

/** Eight tables, so that eight bytes are folded at a time ("slicing by 8"). Index: table * 256 + byte. */
const CRC32C_TABLES = makeTables(BigInt(POLYNOMIAL_32C)).low;
const CRC64_TABLES = makeTables(POLYNOMIAL_64);

function makeTables(polynomial: bigint): { low: Int32Array; high: Int32Array } {
  const low = new Int32Array(8 * 256);
  const high = new Int32Array(8 * 256);
  const first: bigint[] = [];
  for (let byte = 0; byte < 256; byte++) {
    let value = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ polynomial : value >> 1n;
    first.push(value);
  }
  for (const [byte, start] of first.entries()) {
    let value = start;
    for (let table = 0; table < 8; table++) {
      low[table * 256 + byte] = Number(BigInt.asIntN(32, value));
      high[table * 256 + byte] = Number(BigInt.asIntN(32, value >> 32n));
      value = (first[Number(value & 0xffn)] ?? 0n) ^ (value >> 8n);
    }
  }
  return { low, high };
}

function at(table: Int32Array, index: number): number {
  return table[index] ?? 0;
}

function crc32c(chunk: Uint8Array, before: number): number {
  const t = CRC32C_TABLES;
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  let crc = ~before;
  let i = 0;
  for (; i + 8 <= chunk.length; i += 8) {
    const a = view.getInt32(i, true) ^ crc;
    const b = view.getInt32(i + 4, true);
    crc =
      at(t, 1792 + (a & 255)) ^
      at(t, 1536 + ((a >>> 8) & 255)) ^
      at(t, 1280 + ((a >>> 16) & 255)) ^
      at(t, 1024 + (a >>> 24)) ^
      at(t, 768 + (b & 255)) ^
      at(t, 512 + ((b >>> 8) & 255)) ^
      at(t, 256 + ((b >>> 16) & 255)) ^
      at(t, b >>> 24);
  }
  for (; i < chunk.length; i++) crc = (crc >>> 8) ^ at(t, (crc ^ (chunk[i] ?? 0)) & 255);
  return ~crc >>> 0;
}

/** 64 bits as two halves, because BigInt would be a hundred times slower. */
function crc64Digest(): Digest {
  const { low: tl, high: th } = CRC64_TABLES;
  let low = -1;
  let high = -1;
  return {
    update(chunk) {
      const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      let l = low;
      let h = high;
      let i = 0;
      for (; i + 8 <= chunk.length; i += 8) {
        const a = view.getInt32(i, true) ^ l;
        const b = view.getInt32(i + 4, true) ^ h;
        const i0 = 1792 + (a & 255);
        const i1 = 1536 + ((a >>> 8) & 255);
        const i2 = 1280 + ((a >>> 16) & 255);
        const i3 = 1024 + (a >>> 24);
        const i4 = 768 + (b & 255);
        const i5 = 512 + ((b >>> 8) & 255);
        const i6 = 256 + ((b >>> 16) & 255);
        const i7 = b >>> 24;
        l = at(tl, i0) ^ at(tl, i1) ^ at(tl, i2) ^ at(tl, i3) ^ at(tl, i4) ^ at(tl, i5) ^ at(tl, i6) ^ at(tl, i7);
        h = at(th, i0) ^ at(th, i1) ^ at(th, i2) ^ at(th, i3) ^ at(th, i4) ^ at(th, i5) ^ at(th, i6) ^ at(th, i7);
      }
      for (; i < chunk.length; i++) {
        const index = (l ^ (chunk[i] ?? 0)) & 255;
        l = ((l >>> 8) | (h << 24)) ^ at(tl, index);
        h = (h >>> 8) ^ at(th, index);
      }
      low = l;
      high = h;
    },
    digest() {
      const bytes = Buffer.alloc(8);
      bytes.writeInt32BE(~high, 0);
      bytes.writeInt32BE(~low, 4);
      return bytes;
    },
  };
}

const COMBINABLE = {
  CRC32: { polynomial: 0xedb88320n, width: 32 },
  CRC32C: { polynomial: BigInt(POLYNOMIAL_32C), width: 32 },
  CRC64NVME: { polynomial: POLYNOMIAL_64, width: 64 },
} as const;

/**
 * The CRC of the concatenation of parts, from the CRC and length in bytes of each: what S3 calls a full-object checksum.
 * Appending n zero bytes is linear over GF(2), so it is a matrix power.
 */
export function combineCrcs(
  algorithm: keyof typeof COMBINABLE,
  parts: readonly { value: Buffer; length: number }[],
): Buffer {
  const { polynomial, width } = COMBINABLE[algorithm];
  let combined = 0n;
  for (const { value, length } of parts) {
    combined = appendZeros(combined, length, polynomial, width) ^ BigInt(`0x${value.toString('hex')}`);
  }
  return Buffer.from(combined.toString(16).padStart(width / 4, '0'), 'hex');
}

function appendZeros(crc: bigint, bytes: number, polynomial: bigint, width: number): bigint {
  // Matrix for one zero bit: shift, and fold in the bit that is shifted out.
  let matrix = Array.from({ length: width }, (_, bit) => (bit === 0 ? polynomial : 1n << BigInt(bit - 1)));
  const apply = (by: readonly bigint[], vector: bigint) => {
    let result = 0n;
    for (let bit = 0, rest = vector; rest > 0n; bit++, rest >>= 1n) if (rest & 1n) result ^= by[bit] ?? 0n;
    return result;
  };
  let value = crc;
  for (let bits = BigInt(bytes) * 8n; bits > 0n; bits >>= 1n) {
    if (bits & 1n) value = apply(matrix, value);
    const before = matrix;
    matrix = before.map((row) => apply(before, row));
  }
  return value;
}
