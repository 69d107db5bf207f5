import { expect, test } from 'vitest';
import { walkBoxes } from '../../../../containers/transcoder/box-walk.ts';

test('empty boxes are walked by the window, not by a read for each', async () => {
  const empty = Buffer.from([0, 0, 0, 8, ...Buffer.from('free')]);
  const file = Buffer.concat(Array.from({ length: 10_000 }, () => empty));
  let reads = 0;
  const read = async (at: number, length: number) => {
    reads += 1;
    return file.subarray(at, at + length);
  };
  let boxes = 0;
  for await (const { size } of walkBoxes({ size: file.length, read })) boxes += size / 8;
  expect(boxes).toBe(10_000);
  // 80,000 bytes in windows of 4096, the last 16 bytes of each of which are read again.
  expect(reads).toBeLessThan(25);
});
