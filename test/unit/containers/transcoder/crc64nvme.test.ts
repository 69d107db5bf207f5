import { expect, test } from 'vitest';
import { Crc64Nvme } from '../../../../containers/transcoder/crc64nvme.ts';

const of = (...parts: string[]) => {
  const crc = new Crc64Nvme();
  for (const part of parts) crc.update(Buffer.from(part));
  return Buffer.from(crc.digest(), 'base64').toString('hex');
};

// Check value of the catalogue of parametrised CRC algorithms: https://reveng.sourceforge.io/crc-catalogue/17plus.htm
test('the catalogue and this agree', () => {
  expect(of('123456789')).toBe('ae8b14860a799888');
});

test('of nothing it is zero', () => {
  expect(of()).toBe('0000000000000000');
});

test('pieces give the same as the whole', () => {
  expect(of('12', '3456', '789')).toBe('ae8b14860a799888');
});
