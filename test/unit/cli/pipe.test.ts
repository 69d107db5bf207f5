import { execa } from 'execa';
import { expect, test } from 'vitest';

test('a reader that ends early, such as head, ends the command without an error', async () => {
  const running = execa('node', ['--import', 'tsx', 'cli/bin.ts', '--help'], {
    reject: false,
    buffer: { stdout: false },
  });
  running.stdout?.destroy();
  const { exitCode, stderr } = await running;
  expect([exitCode, stderr]).toEqual([0, '']);
});
