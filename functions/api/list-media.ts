import { type Page, queryMedia } from '../../aws/table-queries.ts';
import { type Caller, creatorFor } from '../../core/api/caller.ts';
import { decodeCursor, encodeCursor, MediaPosition } from '../../core/api/cursor.ts';
import { ApiError } from '../../core/api/problem.ts';
import { isFound } from '../../core/api/search.ts';
import { mediaView } from '../../core/api/views.ts';
import type { ListMediaQuery } from '../../core/contracts/http/media.ts';
import { collectionOf, INDEXES, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { isoOf } from '../../core/time.ts';
import { type ApiServices, type Route, viewSettings } from './call.ts';
import { creatorsKnown } from './creators.ts';
import { mergedPage } from './merge-media.ts';

/** Reads per answer: a rare state in a large library is spread over several short pages, each with a cursor. */
const MAX_READS = 10;
/** Least number of rows per read: the state is filtered after the read. */
const READ_SIZE = 100;

/** Each page of a merge reads the index of every creator: some 500 cheap queries, in a second. */
const MERGED_CREATORS = 500;

export const listMedia: Route<'listMedia'> = async (call, services) => {
  const { caller, query } = call;
  const filters = JSON.stringify([query.creatorId, query.collectionId, query.state, query.from, query.to, query.q]);
  const start: MediaPosition = query.cursor ? decodeCursor(query.cursor, filters, MediaPosition) : {};
  const creators = await creatorsOf(services, caller, query, start.merged ? undefined : start.creatorId);
  const settings = viewSettings(call, services);
  const from = instant(query.from);
  const to = instant(query.to);
  const items: MediaRow[] = [];
  // DynamoDB refuses a range whose end is before its beginning.
  if (from && to && from > to) return answer(null);
  if (start.merged || (query.cursor === undefined && creators.length > 1 && creators.length <= MERGED_CREATORS)) {
    const after = start.creatorId && start.at ? { creatorId: start.creatorId, at: start.at } : undefined;
    const page = mergedPage(services.table, creators, { ...query, from, to }, after);
    const merged = await withPosition(after?.at, page);
    items.push(...merged.items);
    return answer(merged.next ? { ...merged.next, merged: true } : null);
  }
  let position = start.at;
  let reads = 0;
  for (const creatorId of creators) {
    const across = creators.length > 1 || start.creatorId !== undefined;
    do {
      const page = await readPage(services, creatorId, { ...query, from, to }, position);
      reads += 1;
      for (const row of page.items) {
        if (query.state !== undefined && row.state !== query.state) continue;
        if (query.q !== undefined && !isFound(row, query.q)) continue;
        items.push(row);
        if (items.length === query.limit) {
          const last = { ...rowKeys.media(row.mediaId), createdAt: row.createdAt };
          return answer({ ...(across && { creatorId }), at: last });
        }
      }
      position = page.next ? MediaPosition.shape.at.parse(page.next) : undefined;
      if (position && reads >= MAX_READS) return answer({ ...(across && { creatorId }), at: position });
    } while (position);
    const following = creators[creators.indexOf(creatorId) + 1];
    if (following && reads >= MAX_READS) return answer({ creatorId: following });
  }
  return answer(null);

  function answer(next: MediaPosition | null) {
    return {
      body: { items: items.map((row) => mediaView(row, settings)), next: next && encodeCursor(filters, next) },
    };
  }
};

/** The creators whose media are listed. For an operator who names none: all. */
async function creatorsOf(
  { table }: ApiServices,
  caller: Caller,
  query: ListMediaQuery,
  from: string | undefined,
): Promise<string[]> {
  if (!caller.operator || query.creatorId !== undefined) return [creatorFor(caller, query.creatorId)];
  return creatorsKnown(table, from);
}

/** The time as the rows have it, with milliseconds, because it is compared as text. */
function instant(time: string | undefined): string | undefined {
  return time && isoOf(Date.parse(time));
}

async function readPage(
  { table }: ApiServices,
  creatorId: string,
  { collectionId, from, to, limit }: ListMediaQuery,
  position: MediaPosition['at'],
): Promise<Page<MediaRow>> {
  const { byCreator, byCollection } = INDEXES;
  const index =
    collectionId === undefined
      ? { [byCreator.pk]: creatorId }
      : { [byCollection.pk]: collectionOf(creatorId, collectionId) };
  const range = { limit: Math.max(limit, READ_SIZE), newestFirst: true, from, to };
  const after = position && { ...position, ...index };
  return withPosition(position, queryMedia(table, { creatorId, collectionId }, { ...range, after }));
}

/** @throws ApiError for a position outside the requested range, which DynamoDB refuses */
async function withPosition<T>(position: MediaPosition['at'], read: Promise<T>): Promise<T> {
  try {
    return await read;
  } catch (error) {
    if (position && error instanceof Error && error.name === 'ValidationException') {
      throw new ApiError('invalid_cursor', 'Start again without the cursor.', { cause: error });
    }
    throw error;
  }
}
