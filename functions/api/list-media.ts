import { z } from 'zod';
import { queryAll } from '../../aws/pages.ts';
import { type Page, queryMedia } from '../../aws/table-queries.ts';
import { type Caller, creatorFor } from '../../core/api/caller.ts';
import { decodeCursor, encodeCursor, MediaPosition } from '../../core/api/cursor.ts';
import { ApiError } from '../../core/api/problem.ts';
import { mediaView } from '../../core/api/views.ts';
import { apiKeys, type ListMediaQuery } from '../../core/contracts/api.ts';
import { INDEXES, type MediaRow } from '../../core/contracts/rows.ts';
import { type Route, type Services, viewSettings } from './call.ts';

/** Reads per answer: a rare state in a large library comes in several short pages, each with a cursor. */
const MAX_READS = 10;
/** Rows per read, at least: the state is filtered after the read. */
const READ_SIZE = 100;

export const listMedia: Route<'listMedia'> = async (call, services) => {
  const { caller, query } = call;
  const filters = JSON.stringify([query.creatorId, query.collectionId, query.state, query.from, query.to]);
  const start = query.cursor ? decodeCursor(query.cursor, filters, MediaPosition) : {};
  const creators = await creatorsOf(services, caller, query, start.creatorId);
  const settings = viewSettings(call, services);
  const from = instant(query.from);
  const to = instant(query.to);
  const items: MediaRow[] = [];
  // DynamoDB refuses a range whose end is before its beginning.
  if (from && to && from > to) return answer(null);
  let position = start.at;
  let reads = 0;
  for (const creatorId of creators) {
    const across = creators.length > 1 || start.creatorId !== undefined;
    do {
      const page = await readPage(services, creatorId, { ...query, from, to }, position);
      reads += 1;
      for (const row of page.items) {
        if (query.state !== undefined && row.state !== query.state) continue;
        items.push(row);
        if (items.length === query.limit) {
          const last = { pk: `MEDIA#${row.mediaId}`, sk: 'MEDIA', createdAt: row.createdAt };
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

/** Whose media to go through. For an operator who names nobody: everybody's, a creator after the other. */
async function creatorsOf(
  { table }: Services,
  caller: Caller,
  query: ListMediaQuery,
  from: string | undefined,
): Promise<string[]> {
  if (!caller.operator || query.creatorId !== undefined) return [creatorFor(caller, query.creatorId)];
  const known = await queryAll(table, z.object({ sk: z.string() }), {
    KeyConditionExpression: from === undefined ? 'pk = :pk' : 'pk = :pk AND sk >= :from',
    ExpressionAttributeValues: { ':pk': apiKeys.counts('').pk, ...(from !== undefined && { ':from': from }) },
    ProjectionExpression: 'sk',
  });
  return known.map(({ sk }) => sk);
}

/** As the rows have it, with milliseconds, for it is compared as text. */
function instant(time: string | undefined): string | undefined {
  return time && new Date(time).toISOString();
}

async function readPage(
  { table }: Services,
  creatorId: string,
  { collectionId, from, to, limit }: ListMediaQuery,
  position: MediaPosition['at'],
): Promise<Page<MediaRow>> {
  const { byCreator, byCollection } = INDEXES;
  const index =
    collectionId === undefined ? { [byCreator.pk]: creatorId } : { [byCollection.pk]: `${creatorId}#${collectionId}` };
  try {
    return await queryMedia(
      table,
      { creatorId, collectionId },
      {
        limit: Math.max(limit, READ_SIZE),
        newestFirst: true,
        from,
        to,
        ...(position && { after: { ...position, ...index } }),
      },
    );
  } catch (error) {
    // DynamoDB refuses a position outside what is asked for.
    if (position && error instanceof Error && error.name === 'ValidationException') {
      throw new ApiError('invalid_cursor', 'Start again without the cursor.', { cause: error });
    }
    throw error;
  }
}
