import { getCollection, getJob, getMedia, getRow } from '../../aws/table.ts';
import { type Caller, creatorFor, maySee } from '../../core/api/caller.ts';
import type { OperationId } from '../../core/api/operations.ts';
import { ApiError, notFound } from '../../core/api/problem.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import { isBuiltIn, PRESETS } from '../../core/contracts/presets.ts';
import { ArchiveRow } from '../../core/contracts/table/archive.ts';
import type { CollectionRow } from '../../core/contracts/table/collections.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { rowKeys, webhookKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { PresetRow } from '../../core/contracts/table/presets.ts';
import { EndpointRow } from '../../core/contracts/table/webhooks.ts';
import type { Check } from '../../core/jobs/change.ts';
import type { ApiCall, ApiServices } from './call.ts';

/** Rows that a request names. What the caller may not see does not exist. */

export async function loadMedia({ table }: ApiServices, caller: Caller, mediaId: string): Promise<MediaRow> {
  const row = await getMedia(table, mediaId);
  if (!row || !maySee(caller, row.creatorId)) throw notFound('media');
  return row;
}

/**
 * Loads what the path of an operation names by `{id}`, if anything.
 * @throws ApiError when the caller may not see it, or it is gone
 */
export async function loadNamed(
  path: string,
  call: Pick<ApiCall<OperationId>, 'caller' | 'params' | 'query'>,
  services: ApiServices,
) {
  const [, kind, id] = path.split('/');
  if (id !== '{id}') return null;
  const named = { ...call, query: call.query ?? {} } as ByOwner;
  switch (kind) {
    case 'media':
    case 'uploads':
      return loadMedia(services, call.caller, named.params.id);
    case 'collections':
      return loadCollection(services, named);
    case 'webhooks':
      return loadWebhook(services, named);
    default:
      throw new Error(`${path} names a resource that cannot be loaded`);
  }
}

/** The media item's current job; null before its first. */
export async function loadJob({ table }: ApiServices, media: MediaRow): Promise<JobRow | null> {
  if (media.jobId === undefined) return null;
  return getJob(table, media.mediaId, parseJobId(media.jobId).n);
}

/** What the archive knows of a media item, which that tells in short; null where it has nothing to do with it. */
export async function loadArchive({ table }: ApiServices, { mediaId, archive }: MediaRow): Promise<ArchiveRow | null> {
  return archive ? getRow(table, rowKeys.archive(mediaId), ArchiveRow) : null;
}

interface ByOwner {
  caller: Caller;
  params: { id: string };
  query: { creatorId?: string | undefined };
}

export async function loadCollection(
  { table }: ApiServices,
  { caller, params, query }: ByOwner,
): Promise<CollectionRow> {
  const creatorId = creatorFor(caller, query.creatorId);
  const row = await getCollection(table, creatorId, params.id);
  if (!row) throw notFound('collection');
  return row;
}

/**
 * The creator's own preset of that name; null for a built-in one.
 * @throws ApiError when there is neither
 */
export async function requirePreset(
  { table }: ApiServices,
  creatorId: string,
  name: string,
): Promise<PresetRow | null> {
  if (isBuiltIn(name)) return null;
  const row = await getRow(table, rowKeys.preset(creatorId, name), PresetRow);
  if (row) return row;
  const message = `${name} was given; allowed are ${Object.keys(PRESETS).join(', ')} and the presets of ${creatorId}, and none has this name.`;
  throw new ApiError('invalid_request', message, { errors: [{ path: 'body.preset', message }] });
}

/** For a change that requires an existing collection, in the change's own transaction. */
export function collectionIsThere(creatorId: string, collectionId: string): Check {
  return { op: 'check', key: rowKeys.collection(creatorId, collectionId), expect: { type: 'collection' } };
}

/**
 * Finds out why such a change was lost.
 * @throws ApiError when the collection does not exist
 */
export async function requireCollection(
  { table }: ApiServices,
  creatorId: string,
  collectionId: string,
): Promise<void> {
  if (await getCollection(table, creatorId, collectionId)) return;
  const message = `There is no collection ${collectionId}. Create it first.`;
  throw new ApiError('invalid_request', message, { errors: [{ path: 'body.collectionId', message }] });
}

export async function loadWebhook({ table }: ApiServices, { caller, params, query }: ByOwner): Promise<EndpointRow> {
  const creatorId = creatorFor(caller, query.creatorId);
  const row = await getRow(table, webhookKeys.endpoint(creatorId, params.id), EndpointRow);
  if (!row) throw notFound('webhook endpoint');
  return row;
}
