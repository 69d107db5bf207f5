import { queryPage } from '../../../aws/pages.ts';
import { apply, applyWithRetry, getCollection, getRow } from '../../../aws/table.ts';
import { within } from '../../../aws/table-expressions.ts';
import { queryMediaKeys } from '../../../aws/table-queries.ts';
import { creatorFor, requireOperator } from '../../../core/api/caller.ts';
import { decodeCursor, encodeCursor } from '../../../core/api/cursor.ts';
import { etagOf, matches } from '../../../core/api/etag.ts';
import { ApiError, notFound } from '../../../core/api/problem.ts';
import { collectionView } from '../../../core/api/views.ts';
import type { CollectionView } from '../../../core/contracts/http/collections.ts';
import { CollectionId } from '../../../core/contracts/ids.ts';
import { CollectionRow, CollectionTombstoneRow } from '../../../core/contracts/table/collections.ts';
import { DUE_WORK, rowKeys } from '../../../core/contracts/table/keys.ts';
import { takePreset } from '../../../core/jobs/presets.ts';
import { newCollection } from '../../../core/jobs/transitions.ts';
import type { ApiServices, Routes } from '../call.ts';
import { loadCollection, requirePreset } from '../load.ts';
import { requireEngine } from '../require-engine.ts';

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
      ...within(rowKeys.collections(creatorId)),
      Limit: query.limit,
      ...(after && { ExclusiveStartKey: rowKeys.collection(creatorId, after) }),
    });
    const end = items.at(-1);
    return {
      body: { items: items.map(collectionView), next: next && end ? encodeCursor(creatorId, end.collectionId) : null },
    };
  },

  async createCollection({ caller, body, now }, services) {
    const { table, env } = services;
    requireKeyFor(body.playback, env);
    requireEngine(services, body.engine);
    if (body.maxUsdPerMonth !== undefined) requireOperator(caller);
    const { id, creatorId: requested, ...settings } = body;
    const creatorId = creatorFor(caller, requested);
    const before = await getRow(table, rowKeys.collectionTombstone(creatorId, id), CollectionTombstoneRow);
    const playback = settings.playback ?? before?.playback;
    const put = newCollection({ creatorId, collectionId: id }, now, { ...settings, playback });
    const own = await requirePreset(services, creatorId, body.preset);
    const made = await apply(table, [put, ...(own ? [takePreset(own)] : [])]);
    if (made === 'lost') {
      if (await getCollection(table, creatorId, id)) {
        throw new ApiError('already_exists', `The collection ${id} exists already.`);
      }
      throw new ApiError('conflict', `The preset ${body.preset} was changed at the same moment.`);
    }
    const answer = await withEtag(put.row);
    return { ...answer, headers: { ...answer.headers, Location: `/collections/${id}` } };
  },

  async getCollection(call, services) {
    return withEtag(await loadCollection(services, call));
  },

  async patchCollection(call, services) {
    const { body, now, headers } = call;
    requireKeyFor(body.playback, services.env);
    requireEngine(services, body.engine);
    if (body.maxUsdPerMonth !== undefined) requireOperator(call.caller);
    const row = await loadCollection(services, call);
    if (!matches(headers.get('if-match'), await etagOf(row))) {
      throw new ApiError('precondition_failed', 'The collection changed since it was read.');
    }
    const key = rowKeys.collection(row.creatorId, row.collectionId);
    const expect = { updatedAt: row.updatedAt, title: row.title, preset: row.preset, playback: row.playback };
    const taken = body.preset === row.preset ? undefined : body.preset;
    const own = taken === undefined ? null : await requirePreset(services, row.creatorId, taken);
    const update = { op: 'update' as const, key, expect, set: { ...body, updatedAt: now } };
    const done = await apply(services.table, [update, ...(own ? [takePreset(own)] : [])]);
    if (done === 'lost')
      throw new ApiError('conflict', 'The collection, or its preset, was changed at the same moment.');
    const changed = await loadCollection(services, call);
    return withEtag(changed);
  },

  async deleteCollection(call, services) {
    const { creatorId, collectionId } = await loadCollection(services, call);
    const { items } = await queryMediaKeys(services.table, { creatorId, collectionId }, { limit: 1 });
    if (items.length > 0) throw new ApiError('not_empty', 'The collection holds media. Move or delete them first.');
    // A drop at this very moment, which the index does not show yet, makes the collection again: as private as it was.
    await applyWithRetry(services.table, async () => {
      const { playback } = await loadCollection(services, call);
      const tombstone: CollectionTombstoneRow = { type: 'collection-tombstone', playback };
      const gone = { op: 'remove' as const, key: rowKeys.collection(creatorId, collectionId), expect: { playback } };
      const stays = rowKeys.collectionTombstone(creatorId, collectionId);
      const of = [rowKeys.archivePolicy, rowKeys.archiveStats].map((keyOf) => keyOf(creatorId, collectionId));
      const removed = of.map((key) => ({ op: 'remove' as const, key, expect: {} }));
      return { change: [gone, { op: 'update' as const, key: stays, expect: {}, set: tombstone }, ...removed] };
    });
    return { body: null };
  },

  async retranscodeCollection(call, services) {
    const row = await loadCollection(services, call);
    const flag = { scheduleRetranscode: true, todo: DUE_WORK.collection, todoAt: call.now, updatedAt: call.now };
    const key = rowKeys.collection(row.creatorId, row.collectionId);
    const done = await apply(services.table, [{ op: 'update', key, expect: { type: 'collection' }, set: flag }]);
    const changed = await getCollection(services.table, row.creatorId, row.collectionId);
    if (done === 'lost' || !changed) throw notFound('collection');
    return { body: collectionView(changed) };
  },
};

/** Without the key no viewer could be admitted to private media. */
function requireKeyFor(playback: 'public' | 'private' | undefined, env: ApiServices['env']): void {
  if (playback !== 'private' || env.PLAYBACK_KEYS) return;
  const message = 'This deployment has no key for private playback; its configuration names none.';
  throw new ApiError('invalid_request', message, { errors: [{ path: 'body.playback', message }] });
}

async function withEtag(row: CollectionRow): Promise<{ body: CollectionView; headers: Record<string, string> }> {
  return { body: collectionView(row), headers: { ETag: await etagOf(row) } };
}
