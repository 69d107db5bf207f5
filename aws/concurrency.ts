/**
 * Calls `work` for each item, at most `limit` at once, started in order. Rejects with the first error, once the calls under
 * way have ended; nothing is started after it. `stop` is called before each start.
 * @returns how many of the first items are all done
 */
export async function eachLimit<Item>(
  items: readonly Item[],
  limit: number,
  work: (item: Item, index: number) => Promise<void>,
  stop: () => boolean = () => false,
): Promise<number> {
  const queue = items.entries();
  let started = 0;
  let failure: { error: unknown } | undefined;
  const runner = async () => {
    while (!failure && !stop()) {
      const next = queue.next();
      if (next.done) return;
      started++;
      const [index, item] = next.value;
      try {
        await work(item, index);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, runner));
  if (failure) throw failure.error;
  return started;
}
