import { expect, it } from 'vitest';
import { eachLimit } from '../../../aws/concurrency.ts';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

it('processes every item, at most the given number at once, in order of start', async () => {
  let [running, most] = [0, 0];
  const seen: (number | undefined)[] = [];
  const done = await eachLimit([1, 2, undefined, 4, 5], 2, async (item, index) => {
    seen[index] = item;
    most = Math.max(most, ++running);
    await tick();
    running--;
  });
  expect(done).toBe(5);
  expect(seen).toEqual([1, 2, undefined, 4, 5]);
  expect(most).toBe(2);
});

it('starts nothing after an error, and waits for the items under way', async () => {
  const [started, ended]: [number[], number[]] = [[], []];
  const work = eachLimit([1, 2, 3, 4], 2, async (item) => {
    started.push(item);
    if (item === 1) throw new Error('one');
    await tick();
    ended.push(item);
  });
  await expect(work).rejects.toThrow('one');
  expect([started, ended]).toEqual([[1, 2], [2]]);
});

it('returns how many of the first items are done when it is stopped', async () => {
  let asked = 0;
  const seen: number[] = [];
  const done = await eachLimit(
    [1, 2, 3, 4],
    1,
    async (item) => void seen.push(item),
    () => ++asked > 2,
  );
  expect(done).toBe(2);
  expect(seen).toEqual([1, 2]);
});
