import { queryTodo, type TodoItem } from '../../aws/table-queries.ts';
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
