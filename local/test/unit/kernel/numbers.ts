import { type Journal, openJournal } from '../../../kernel/journal.ts';

export const RECORD_BYTES = 100_000;

interface Entry {
  n: number;
  padding: string;
}

/** A journal that takes the numbers from 1 on, each once and in order; its snapshot is the last of them. */
export async function openNumbers(file: string) {
  let last = 0;
  let isFirst = true;
  const journal: Journal<Entry> = await openJournal<Entry>({
    file,
    apply: ({ n }) => {
      if (!isFirst && n !== last + 1) throw new Error(`${n} came after ${last}`);
      isFirst = false;
      last = n;
    },
    snapshot: () => (isFirst ? [] : [{ n: last, padding: '' }]),
  });
  return {
    journal: {
      append: (n: number, bytes = RECORD_BYTES) => journal.append({ n, padding: 'x'.repeat(bytes) }),
      close: () => journal.close(),
    },
    last: () => last,
  };
}
