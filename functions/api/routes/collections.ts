import { queryPage } from '../../../aws/pages.ts';
import { apply, getCollection } from '../../../aws/table.ts';
import { queryMedia } from '../../../aws/table-queries.ts';
import { creatorFor } from '../../../core/api/caller.ts';
import { decodeCursor, encodeCursor } from '../../../core/api/cursor.ts';
import { etagOf, matches } from '../../../core/api/etag.ts';
import { ApiError, notFound } from '../../../core/api/problem.ts';
import { collectionView } from '../../../core/api/views.ts';
import type { CollectionView } from '../../../core/contracts/api.ts';
import { CollectionId } from '../../../core/contracts/ids.ts';
import { CHORE, CollectionRow, rowKeys } from '../../../core/contracts/rows.ts';
import type { Routes, Services } from '../call.ts';
import { loadCollection } from '../load.ts';

type Ids =
  | 'listCollections'
  | 'createCollection'
  | 'getCollection'
  | 'patchCollection'
  | 'deleteCollection'
  | 'retranscodeCollection';

export const collectionRoutes: Routes<Ids> = {
  async listCollections({ caller, query }, { table }) {
    const creatorId = creatorFor(caller, query.creatorId);
    const after = query.cursor && decodeCursor(query.cursor, creatorId, CollectionId);
    const { items, next } = await queryPage(table, CollectionRow, {
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: { ':pk': rowKeys.collection(creatorId, '').pk, ':sk': 'COLLECTION#' },
      Limit: query.limit,
      ...(after && { ExclusiveStartKey: rowKeys.collection(creatorId, after) }),
    });
    const end = items.at(-1);
    return {
      body: { items: items.map(collectionView), next: next && end ? encodeCursor(creatorId, end.collectionId) : null },
    };
  },

  async createCollection({ caller, body, now }, { table, env }) {
    requireKeyFor(body.playback, env);
    const { id, creatorId: requested, title, preset, engine, ...settings } = body;
    const creatorId = creatorFor(caller, requested);
    const row: CollectionRow = {
      type: 'collection',
      creatorId,
      collectionId: id,
      title: title ?? id,
      preset,
      engine,
      deleteOriginal: settings.deleteOriginal ?? false,
      retranscodeFromOutput: settings.retranscodeFromOutput ?? false,
      playback: settings.playback ?? 'public',
      scheduleRetranscode: false,
      createdAt: now,
      updatedAt: now,
    };
    const made = await apply(table, [{ op: 'put', key: rowKeys.collection(creatorId, id), row }]);
    if (made === 'lost') throw new ApiError('already_exists', `There is a collection ${id} already.`);
    const answer = await withEtag(row);
    return { ...answer, headers: { ...answer.headers, Location: `/collections/${id}` } };
  },

  async getCollection(call, services) {
    return withEtag(await loadCollection(services, call));
  },

  async patchCollection(call, services) {
    const { body, now, headers } = call;
    requireKeyFor(body.playback, services.env);
    const row = await loadCollection(services, call);
    if (!matches(headers.get('if-match'), await etagOf(row))) {
      throw new ApiError('precondition_failed', 'The collection changed since you read it.');
    }
    const key = rowKeys.collection(row.creatorId, row.collectionId);
    const expect = { updatedAt: row.updatedAt, title: row.title, preset: row.preset, playback: row.playback };
    const done = await apply(services.table, [{ op: 'update', key, expect, set: { ...body, updatedAt: now } }]);
    if (done === 'lost') throw new ApiError('conflict', 'The collection was changed at the same moment.');
    const changed = await loadCollection(services, call);
    return withEtag(changed);
  },

  async deleteCollection(call, services) {
    const { creatorId, collectionId } = await loadCollection(services, call);
    const { items } = await queryMedia(services.table, { creatorId, collectionId }, { limit: 1 });
    if (items.length > 0) throw new ApiError('not_empty', 'The collection holds media. Move or delete them first.');
    // A drop at this very moment makes the collection again, with the default settings.
    const key = rowKeys.collection(creatorId, collectionId);
    await apply(services.table, [{ op: 'remove', key, expect: {} }]);
    return { body: null };
  },

  async retranscodeCollection(call, services) {
    const row = await loadCollection(services, call);
    const flag = { scheduleRetranscode: true, todo: CHORE.collection, todoAt: call.now, updatedAt: call.now };
    const key = rowKeys.collection(row.creatorId, row.collectionId);
    const done = await apply(services.table, [{ op: 'update', key, expect: { type: 'collection' }, set: flag }]);
    const changed = await getCollection(services.table, row.creatorId, row.collectionId);
    if (done === 'lost' || !changed) throw notFound('collection');
    return { body: collectionView(changed) };
  },
};

/** Without the key nobody could be let in to what is private. */
function requireKeyFor(playback: 'public' | 'private' | undefined, env: Services['env']): void {
  if (playback !== 'private' || env.PLAYBACK_PRIVATE_KEY) return;
  const message = 'This deployment has no key for private playback; its configuration names none.';
  throw new ApiError('invalid_request', message, { errors: [{ path: 'body.playback', message }] });
}

async function withEtag(row: CollectionRow): Promise<{ body: CollectionView; headers: Record<string, string> }> {
  return { body: collectionView(row), headers: { ETag: await etagOf(row) } };
}
