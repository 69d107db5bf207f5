import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { Input } from '../../../../containers/transcoder/input/input.ts';
import { encodeMeanwhile } from '../../../../containers/transcoder/late-finds.ts';

const { signal } = new AbortController();
const input = { lateCaptions: () => undefined } as Partial<Input> as Input;

/** A look that ends with its encode only. */
async function look(over: AbortSignal): Promise<never> {
  await once(over, 'abort');
  throw over.reason;
}

/** What the process would have ended with. */
async function unhandled(run: () => Promise<unknown>): Promise<unknown[]> {
  const seen: unknown[] = [];
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', (error) => seen.push(error));
  try {
    await run();
    // Node looks for unhandled rejections between two turns of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);
  }
  return seen;
}

test('an encode that fails during the look fails as itself, and leaves no rejection that ends the process', async () => {
  const encode = () => Promise.reject(new Error('corrupt'));
  const run = () =>
    expect(encodeMeanwhile({ input, video: undefined, look, signal }, encode)).rejects.toThrow('corrupt');
  expect(await unhandled(run)).toEqual([]);
});

test('an encode that an earlier attempt has made is taken, and leaves no rejection that ends the process', async () => {
  const run = async () => {
    expect(await encodeMeanwhile({ input, video: undefined, look, signal }, async () => 'made before')).toBe(
      'made before',
    );
  };
  expect(await unhandled(run)).toEqual([]);
});
