import { createReadStream } from 'node:fs';

/** CRC-64/NVME, S3's default checksum of whole objects: polynomial 0xad93d23594c93659, reflected, initial and final value all ones. */
export const CRC64NVME_POLYNOMIAL = 0x9a6c9329ac4bc9b5n;

/** tables[k][i]: the effect of byte i on the checksum k bytes later, as high and low words. Eight bytes are folded at once. */
const TABLES = buildTables();

function buildTables(): { high: Uint32Array; low: Uint32Array }[] {
  const first = Array.from({ length: 256 }, (_, byte) => {
    let crc = BigInt(byte);
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ CRC64NVME_POLYNOMIAL : crc >> 1n;
    return crc;
  });
  const tables = [first];
  for (let k = 1; k < 8; k++) {
    tables.push((tables[k - 1] ?? []).map((crc) => (crc >> 8n) ^ (first[Number(crc & 255n)] ?? 0n)));
  }
  return tables.map((table) => ({
    high: Uint32Array.from(table, (crc) => Number(crc >> 32n)),
    low: Uint32Array.from(table, (crc) => Number(crc & 0xffffffffn)),
  }));
}

const at = (k: number) => TABLES[k] as { high: Uint32Array; low: Uint32Array };
const [T0, T1, T2, T3, T4, T5, T6, T7] = [at(0), at(1), at(2), at(3), at(4), at(5), at(6), at(7)];

export class Crc64Nvme {
  #high = 0xffffffff;
  #low = 0xffffffff;

  update(bytes: Uint8Array): this {
    let high = this.#high;
    let low = this.#low;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let i = 0;
    for (; i + 8 <= bytes.length; i += 8) {
      low ^= view.getUint32(i, true);
      high ^= view.getUint32(i + 4, true);
      const a = low & 255;
      const b = (low >>> 8) & 255;
      const c = (low >>> 16) & 255;
      const d = low >>> 24;
      const e = high & 255;
      const f = (high >>> 8) & 255;
      const g = (high >>> 16) & 255;
      const h = high >>> 24;
      high = word(T7.high, a) ^ word(T6.high, b) ^ word(T5.high, c) ^ word(T4.high, d);
      high ^= word(T3.high, e) ^ word(T2.high, f) ^ word(T1.high, g) ^ word(T0.high, h);
      low = word(T7.low, a) ^ word(T6.low, b) ^ word(T5.low, c) ^ word(T4.low, d);
      low ^= word(T3.low, e) ^ word(T2.low, f) ^ word(T1.low, g) ^ word(T0.low, h);
    }
    for (; i < bytes.length; i++) {
      const index = (low ^ view.getUint8(i)) & 255;
      low = ((low >>> 8) | (high << 24)) ^ word(T0.low, index);
      high = (high >>> 8) ^ word(T0.high, index);
    }
    this.#high = high >>> 0;
    this.#low = low >>> 0;
    return this;
  }

  value(): bigint {
    return (BigInt(~this.#high >>> 0) << 32n) | BigInt(~this.#low >>> 0);
  }

  /** Base64 of the eight bytes, the highest first, as S3 wants it. */
  digest(): string {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(this.value());
    return bytes.toString('base64');
  }
}

function word(table: Uint32Array, index: number): number {
  return table[index] as number;
}

/** The checksum of a whole file, read as a stream. */
export async function crc64OfFile(path: string): Promise<string> {
  const crc = new Crc64Nvme();
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) crc.update(chunk);
  return crc.digest();
}
