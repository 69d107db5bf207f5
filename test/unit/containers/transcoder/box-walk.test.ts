import { open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { walkBoxes } from '../../../../containers/transcoder/box-walk.ts';

test('empty boxes are walked by the window, not by a read for each', async () => {
  const path = join(tmpdir(), `boxes-${crypto.randomUUID()}`);
  const empty = Buffer.from([0, 0, 0, 8, ...Buffer.from('free')]);
  await writeFile(path, Buffer.concat(Array.from({ length: 10_000 }, () => empty)));
  const handle = await open(path);
  onTestFinished(async () => {
    await handle.close();
    await rm(path);
  });
  const read = vi.spyOn(handle, 'read');
  let boxes = 0;
  for await (const { size } of walkBoxes(handle)) boxes += size / 8;
  expect(boxes).toBe(10_000);
  // 80,000 bytes in windows of 4096, the last 16 bytes of each of which are read again.
  expect(read.mock.calls.length).toBeLessThan(25);
});
