import { eachLimit } from '../../aws/concurrency.ts';
import { apply, getMedia, getRow, settle } from '../../aws/table.ts';
import { queryMedia } from '../../aws/table-queries.ts';
import { CHORE, CollectionRow, type MediaRow, rowKeys } from '../../core/contracts/rows.ts';
import { flagMedia } from '../../core/jobs/transitions.ts';
import { eachDue } from './due.ts';
import type { RowServices } from './services.ts';

const PAGE = 200;
/** Writes at once; DynamoDB takes far more, the function's memory and sockets set the bound. */
const AT_ONCE = 40;

/**
 * Flagged collections: sets the flag of every media, then clears the collection's. How far it came is kept with the
 * collection, and each media notes for which flag it was set, so that no crash loses or doubles one.
 */
export async function expandCollections(services: RowServices): Promise<void> {
  await eachDue(services, CHORE.collection, async (key) => {
    const collection = await getRow(services.table, key, CollectionRow);
    if (collection) await expand(services, collection);
  });
}

async function expand(services: RowServices, collection: CollectionRow): Promise<void> {
  const { table, now, timeIsUp, did } = services;
  const { creatorId, collectionId, todoAt: flag } = collection;
  if (collection.todo !== CHORE.collection || flag === undefined) return;
  const key = rowKeys.collection(creatorId, collectionId);
  let after = collection.flagCursor?.flag === flag ? JSON.parse(collection.flagCursor.after) : undefined;
  while (collection.scheduleRetranscode && !timeIsUp()) {
    const page = await queryMedia(table, { creatorId, collectionId }, { limit: PAGE, after });
    await eachLimit(page.items, AT_ONCE, (media) => flagOne(services, media, flag));
    if (!page.next) break;
    after = page.next;
    const flagCursor = { flag, after: JSON.stringify(after) };
    // Lost: somebody has set the flag anew, or cleared it; the next run sees to that.
    const kept = await apply(table, [{ op: 'update', key, expect: { todoAt: flag }, set: { flagCursor } }]);
    if (kept === 'lost') return;
  }
  if (timeIsUp()) return;
  const set = { scheduleRetranscode: false, updatedAt: now };
  const remove = ['todo', 'todoAt', 'flagCursor'];
  if ((await apply(table, [{ op: 'update', key, expect: { todoAt: flag }, set, remove }])) === 'applied') {
    did('collectionsExpanded');
  }
}

async function flagOne({ table, now, did }: RowServices, listed: MediaRow, flag: string): Promise<void> {
  let first: MediaRow | null = listed;
  const outcome = await settle(table, async () => {
    // The index's copy saves a read; when it is behind, the change is lost and the row itself is read.
    const media: MediaRow | null = first ?? (await getMedia(table, listed.mediaId));
    first = null;
    return media ? flagMedia(media, now, flag) : { none: 'the media is gone' };
  });
  if (!('none' in outcome)) did('mediaFlagged');
}
