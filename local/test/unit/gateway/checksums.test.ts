import { expect, test } from 'vitest';
import { type ChecksumAlgorithm, combineCrcs, createDigest } from '../../../gateway/checksums.ts';

const digest = (algorithm: ChecksumAlgorithm, ...chunks: string[]) => {
  const all = createDigest(algorithm);
  for (const chunk of chunks) all.update(Buffer.from(chunk));
  return all.digest();
};

// Check values (of '123456789') of https://reveng.sourceforge.io/crc-catalogue/all.htm; the SHAs by coreutils.
test.each<[ChecksumAlgorithm, string]>([
  ['CRC32', 'cbf43926'],
  ['CRC32C', 'e3069283'],
  ['CRC64NVME', 'ae8b14860a799888'],
  ['SHA1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
  ['SHA256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
])('%s of 123456789', (algorithm, hex) => {
  expect(digest(algorithm, '123456789').toString('hex')).toBe(hex);
  expect(digest(algorithm, '1', '2345', '', '6789').toString('hex')).toBe(hex);
});

test.each<[ChecksumAlgorithm & ('CRC32' | 'CRC32C' | 'CRC64NVME'), string]>([
  ['CRC32', 'cbf43926'],
  ['CRC32C', 'e3069283'],
  ['CRC64NVME', 'ae8b14860a799888'],
])('%s of a whole is combined from the checksums of its parts', (algorithm, hex) => {
  const parts = ['123', '', '45678', '9'].map((text) => ({ value: digest(algorithm, text), length: text.length }));
  expect(combineCrcs(algorithm, parts).toString('hex')).toBe(hex);
});
