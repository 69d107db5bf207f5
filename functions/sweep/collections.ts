import { eachLimit } from '../../aws/concurrency.ts';
import { apply, applyWithRetry, getMedia, getRow } from '../../aws/table.ts';
import { queryMedia } from '../../aws/table-queries.ts';
import { CollectionRow } from '../../core/contracts/table/collections.ts';
import { DUE_WORK, rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { flagMedia } from '../../core/jobs/transitions.ts';
import { eachDue } from './due.ts';
import { patiently } from './patiently.ts';
import type { RowServices } from './services.ts';

const PAGE = 200;
/** Simultaneous writes. Each puts a row into one partition of the index `todo`, where all flags are. */
const AT_ONCE = 5;

/**
 * Flagged collections: sets the flag of every media item, then clears the collection's. The position is kept with the collection, and
 * each media item notes for which flag it was set, so that no crash loses or doubles one.
 */
export async function expandCollections(services: RowServices): Promise<void> {
  await eachDue(services, DUE_WORK.collection, async (key) => {
    const collection = await getRow(services.table, key, CollectionRow);
    if (collection) await expand(services, collection);
  });
}

async function expand(services: RowServices, collection: CollectionRow): Promise<void> {
  const { table, now, timeIsUp, report } = services;
  const { creatorId, collectionId, todoAt: flag } = collection;
  if (collection.todo !== DUE_WORK.collection || flag === undefined) return;
  const key = rowKeys.collection(creatorId, collectionId);
  let after = collection.flagCursor?.flag === flag ? JSON.parse(collection.flagCursor.after) : undefined;
  while (collection.scheduleRetranscode && !timeIsUp()) {
    const page = await queryMedia(table, { creatorId, collectionId }, { limit: PAGE, after, consistent: true });
    let flagged = 0;
    const one = async (media: MediaRow) => {
      // Out of time, the next run repeats the page, which changes nothing for media items that are flagged.
      if ((await patiently(services, () => flagOne(services, media, flag))) === 'done') flagged++;
    };
    await eachLimit(page.items, AT_ONCE, one, timeIsUp);
    if (flagged < page.items.length) return;
    if (!page.next) break;
    after = page.next;
    const flagCursor = { flag, after: JSON.stringify(after) };
    // Lost: another request has set the flag anew, or cleared it; the next run handles that.
    const kept = await apply(table, [{ op: 'update', key, expect: { todoAt: flag }, set: { flagCursor } }]);
    if (kept === 'lost') return;
  }
  if (timeIsUp()) return;
  const set = { scheduleRetranscode: false, updatedAt: now };
  const remove = ['todo', 'todoAt', 'flagCursor'] as const;
  if ((await apply(table, [{ op: 'update', key, expect: { todoAt: flag }, set, remove }])) === 'applied') {
    report('collectionsExpanded');
  }
}

async function flagOne({ table, now, report }: RowServices, listed: MediaRow, flag: string): Promise<void> {
  let first: MediaRow | null = listed;
  const outcome = await applyWithRetry(table, async () => {
    // The row as it was listed; when it has changed since, the change is lost and it is read again.
    const media: MediaRow | null = first ?? (await getMedia(table, listed.mediaId));
    first = null;
    return media ? flagMedia(media, now, flag) : { refused: 'the media item is gone' };
  });
  if (!('refused' in outcome)) report('mediaFlagged');
}
