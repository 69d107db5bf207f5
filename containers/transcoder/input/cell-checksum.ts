import { crc32 } from 'node:zlib';
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { CRC64NVME_POLYNOMIAL, Crc64Nvme } from '../crc64nvme.ts';

/** Of RFC 1952, 8, reflected. */
const CRC32_POLYNOMIAL = 0xedb88320n;

/** A checksum of cells of one size (the last may be shorter), which arrive in any order. */
export class CellChecksum {
  readonly #sums: (bigint | undefined)[];
  #missing: number;
  readonly #of: { size: number; cellBytes: number; wanted: Wanted };

  constructor(of: { size: number; cellBytes: number; wanted: Wanted }) {
    this.#of = of;
    this.#missing = Math.ceil(of.size / of.cellBytes);
    this.#sums = new Array(this.#missing);
  }

  /** Takes a cell that has not come before. */
  add(index: number, cell: Buffer): void {
    this.#sums[index] = this.#of.wanted.sum(cell);
    this.#missing -= 1;
  }

  /** The name of the checksum that all cells together do not have; null when they have it, or one has not come. */
  wrong(): string | null {
    if (this.#missing > 0) return null;
    const { size, cellBytes, wanted } = this.#of;
    const { polynomial, bits, name } = wanted;
    const rest = size % cellBytes || cellBytes;
    const [whole, last] = [cellBytes, rest].map((bytes) => zeroes(polynomial, bits, bytes));
    const sum = (this.#sums as bigint[]).reduce((before, cell, i) => {
      const behind = (i === this.#sums.length - 1 ? last : whole) as Matrix;
      return times(behind, before) ^ cell;
    }, 0n);
    return sum === wanted.value ? null : name;
  }
}

export interface Wanted {
  name: string;
  value: bigint;
  polynomial: bigint;
  bits: number;
  sum(cell: Buffer): bigint;
}

/** S3's checksum of the whole object; undefined where it has none. */
export function wholeChecksum(head: HeadObjectCommandOutput): Wanted | undefined {
  // A composite checksum is made of the parts' checksums, and the parts' sizes are not known here.
  if (head.ChecksumType === 'COMPOSITE') return undefined;
  if (head.ChecksumCRC64NVME) {
    const value = Buffer.from(head.ChecksumCRC64NVME, 'base64').readBigUInt64BE();
    const sum = (cell: Buffer) => new Crc64Nvme().update(cell).value();
    return { name: 'CRC64NVME', value, polynomial: CRC64NVME_POLYNOMIAL, bits: 64, sum };
  }
  if (head.ChecksumCRC32) {
    const value = BigInt(Buffer.from(head.ChecksumCRC32, 'base64').readUInt32BE());
    return { name: 'CRC32', value, polynomial: CRC32_POLYNOMIAL, bits: 32, sum: (cell) => BigInt(crc32(cell)) };
  }
  return undefined;
}

/** Of ones and zeroes, by columns. */
type Matrix = readonly bigint[];

function times(matrix: Matrix, vector: bigint): bigint {
  let sum = 0n;
  for (let i = 0; vector >> BigInt(i) > 0n; i++) if ((vector >> BigInt(i)) & 1n) sum ^= matrix[i] ?? 0n;
  return sum;
}

const product = (a: Matrix, b: Matrix): Matrix => b.map((column) => times(a, column));

/**
 * What so many zero bytes do to a checksum that begins and ends with all ones inverted: the checksum of two texts is that of the first, moved by
 * the length of the second, XOR that of the second. The same way as zlib's crc32_combine.
 */
function zeroes(polynomial: bigint, bits: number, bytes: number): Matrix {
  let power: Matrix = Array.from({ length: bits }, (_, i) => (i === 0 ? polynomial : 1n << BigInt(i - 1)));
  for (let i = 0; i < 3; i++) power = product(power, power);
  let all: Matrix = Array.from({ length: bits }, (_, i) => 1n << BigInt(i));
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2) all = product(power, all);
    power = product(power, power);
  }
  return all;
}
