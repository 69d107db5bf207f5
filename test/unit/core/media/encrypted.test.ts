import { expect, test } from 'vitest';
import { isEncryptedAsf, isScrambled } from '../../../../core/media/encrypted.ts';

/** A packet of 188 bytes; `control` is its fourth byte. */
function packet(id: number, control: number, more = 0): Uint8Array {
  const bytes = new Uint8Array(188 + more);
  bytes.set([0x47, id >> 8, id & 0xff, control]);
  return bytes;
}

const stream = (...packets: Uint8Array[]) => Uint8Array.from(packets.flatMap((bytes) => [...bytes]));
const many = (count: number, bytes: Uint8Array) => Array.from({ length: count }, () => bytes);

test('a transport stream is scrambled when most of its packets of media are', () => {
  const [clear, even, odd, table] = [packet(256, 0x10), packet(256, 0x90), packet(257, 0xd0), packet(0, 0x10)];
  expect(isScrambled(stream(table, ...many(20, even), ...many(10, odd), ...many(10, clear)))).toBe(true);
  expect(isScrambled(stream(table, ...many(10, even), ...many(30, clear)))).toBe(false);
  expect(isScrambled(stream(packet(0, 0x10, 16), ...many(30, packet(256, 0x90, 16))))).toBe(true);
  expect(isScrambled(stream(table, ...many(30, packet(0x1fff, 0x90))))).toBe(false);
  expect(isScrambled(stream(table, ...many(18, even)))).toBe(false);
  expect(isScrambled(new Uint8Array(4000))).toBe(false);
});

test('a picture of one grey, whose bytes are those that packets begin with, is not scrambled', () => {
  expect(isScrambled(new Uint8Array(40_000).fill(0x47))).toBe(false);
});

test('an ASF file is encrypted when an object of its header says so', () => {
  const object = (guid: string, size: number) => [
    ...Buffer.from(guid, 'hex'),
    size,
    ...Array<number>(size - 17).fill(0),
  ];
  const header = object('3026b2758e66cf11a6d900aa0062ce6c', 30);
  const other = object('a1dcab8c47a9cf118ee400c00c205365', 40);
  const protection = object('fbb3112223bdd211b4b700a0c955fc6e', 24);
  expect(isEncryptedAsf(Uint8Array.from([...header, ...other, ...protection]))).toBe(true);
  expect(isEncryptedAsf(Uint8Array.from([...header, ...other]))).toBe(false);
  expect(isEncryptedAsf(Uint8Array.from(protection))).toBe(false);
  expect(isEncryptedAsf(Uint8Array.from([...header, ...object('00'.repeat(16), 17), ...protection]))).toBe(false);
});
