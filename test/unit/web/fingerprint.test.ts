import { expect, it } from 'vitest';
import { fingerprintOf } from '../../../web/console/src/uploads/fingerprint.ts';

const MIB = 2 ** 20;
const fileOf = (size: number, at: number, value: number) => {
  const bytes = new Uint8Array(size);
  bytes[at] = value;
  return new Blob([bytes]);
};

it('is the same of a copy', async () => {
  expect(await fingerprintOf(fileOf(3 * MIB, 5, 1))).toBe(await fingerprintOf(fileOf(3 * MIB, 5, 1)));
});

it.each([
  ['the first byte', 3 * MIB, 0],
  ['the last byte', 3 * MIB, 3 * MIB - 1],
  ['a byte in the middle of a small file', 500_000, 250_000],
])('is another when %s is', async (_, size, at) => {
  expect(await fingerprintOf(fileOf(size, at, 1))).not.toBe(await fingerprintOf(fileOf(size, at, 2)));
});

it('is another when there are more bytes of the same kind', async () => {
  expect(await fingerprintOf(new Blob([new Uint8Array(10)]))).not.toBe(
    await fingerprintOf(new Blob([new Uint8Array(11)])),
  );
});

it('fits what the API takes', async () => {
  expect(await fingerprintOf(new Blob([]))).toMatch(/^[A-Za-z0-9:._-]{1,100}$/);
});
