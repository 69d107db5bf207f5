import { eachLimit } from '../../aws/concurrency.ts';
import { queryTodo, type TodoItem } from '../../aws/table-queries.ts';
import type { RowKey } from '../../core/contracts/table/keys.ts';
import { logger } from '../shared/observability.ts';
import type { RowServices } from './services.ts';

const PAGE = 100;

/**
 * The rows that are due, page by page, until there are none or time is up. They are read from the index, so each row is to be read again.
 */
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
 * Does `work` for each row that is due, `atOnce` at a time, while there is time. A row that fails is left for the next run, and does not
 * hold up those behind it; the first failure is thrown at the end.
 */
export async function eachDue(
  services: RowServices,
  todo: string,
  work: (key: RowKey) => Promise<void>,
  atOnce = 1,
): Promise<void> {
  const failures = new Failures();
  for await (const items of due(services, todo)) {
    const one = ({ pk, sk }: RowKey) => failures.of({ pk, sk }, work({ pk, sk }));
    await eachLimit(items, atOnce, one, services.timeIsUp);
  }
  failures.throwFirst();
}

/** Collects the failures among many pieces of work. */
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
