import { isPushedBack } from '../../aws/table.ts';
import type { RowServices } from './services.ts';

/** Milliseconds before a throttled write is retried; doubled each time, up to the longest. */
const PUSHED_BACK_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/**
 * Waits for DynamoDB as long as there is time, because one partition of an index takes 1,000 units a second. What is out of time is done
 * by the next run.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
 */
export async function patiently(
  { timeIsUp }: Pick<RowServices, 'timeIsUp'>,
  work: () => Promise<void>,
): Promise<'done' | 'out of time'> {
  for (let pause = PUSHED_BACK_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    try {
      await work();
      return 'done';
    } catch (error) {
      if (!isPushedBack(error)) throw error;
      if (timeIsUp()) return 'out of time';
      await new Promise((resolve) => setTimeout(resolve, pause * Math.random()));
    }
  }
}
