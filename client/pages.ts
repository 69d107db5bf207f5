import type { OperationId } from '../core/api/operations.ts';
import type { Client } from './client.ts';
import type { Answer, Request } from './request.ts';

interface Page {
  items: unknown[];
  next: string | null;
}

/** Operations that answer a page at a time. */
export type PagedId = {
  [K in OperationId]: Answer<K> extends Page ? K : never;
}[OperationId];

type Item<K extends PagedId> = Answer<K> extends { items: (infer T)[] } ? T : never;

/** The items of all pages, in the API's order; a page is requested when its first item is needed. */
export async function* itemsOf<K extends PagedId>(
  client: Client,
  id: K,
  request: Request<K> = {} as Request<K>,
): AsyncGenerator<Item<K>> {
  // All of these operations share this input and answer, which TypeScript cannot infer for a generic K.
  const call = client.call.bind(client) as (id: K, request: object) => Promise<Page>;
  const given = request as { query?: object };
  let cursor: string | undefined;
  do {
    const page = await call(id, { ...given, query: { ...given.query, cursor } });
    yield* page.items as Item<K>[];
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
}
