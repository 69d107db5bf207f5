import { queryTodo, type TodoItem } from '../../aws/table-queries.ts';
import type { RowKey } from '../../core/contracts/rows.ts';
import { logger } from '../shared/stack.ts';
import type { RowServices } from './services.ts';

const PAGE = 100;

/** The rows that are due, page by page, until there are none or time is up. From the index: each row is to be read again. */
export async function* due(services: RowServices, todo: string): AsyncGenerator<TodoItem[]> {
  let after: Record<string, unknown> | undefined;
  do {
    if (services.timeIsUp()) return;
    const page = await queryTodo(services.table, todo, { until: services.now, limit: PAGE, after });
    yield page.items;
    after = page.next;
  } while (after);
}

/**
 * Does `work` for each row that is due, one after the other, while there is time. One that fails is left for the next run, and
 * does not keep those behind it from their turn; the first failure is thrown at the end.
 */
export async function eachDue(
  services: RowServices,
  todo: string,
  work: (key: RowKey) => Promise<void>,
): Promise<void> {
  const failures = new Failures();
  for await (const items of due(services, todo)) {
    for (const { pk, sk } of items) {
      if (services.timeIsUp()) break;
      await failures.of({ pk, sk }, work({ pk, sk }));
    }
  }
  failures.throwFirst();
}

/** What went wrong with some of many. */
export class Failures {
  readonly #errors: unknown[] = [];

  async of(key: RowKey, work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      logger.error('left for the next run', { ...key, error });
      this.#errors.push(error);
    });
  }

  throwFirst(): void {
    if (this.#errors.length > 0) throw this.#errors[0];
  }
}
