import { expect, test } from 'vitest';
import { Crc64Nvme } from '../../../../containers/transcoder/crc64nvme.ts';

const of = (...parts: string[]) => {
  const crc = new Crc64Nvme();
  for (const part of parts) crc.update(Buffer.from(part));
  return Buffer.from(crc.digest(), 'base64').toString('hex');
};

// Check value of the catalogue of parametrised CRC algorithms: https://reveng.sourceforge.io/crc-catalogue/17plus.htm
test('the checksum of 123456789 is that of the catalogue', () => {
  expect(of('123456789')).toBe('ae8b14860a799888');
});

test('the checksum of no bytes is zero', () => {
  expect(of()).toBe('0000000000000000');
});

test('the checksum of pieces is that of the whole', () => {
  expect(of('12', '3456', '789')).toBe('ae8b14860a799888');
});
