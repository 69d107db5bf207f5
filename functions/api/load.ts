import { getCollection, getJob, getMedia, getRow } from '../../aws/table.ts';
import { type Caller, creatorFor, maySee } from '../../core/api/caller.ts';
import { notFound } from '../../core/api/problem.ts';
import { parseJobId } from '../../core/contracts/ids.ts';
import type { CollectionRow, JobRow, MediaRow } from '../../core/contracts/rows.ts';
import { EndpointRow, webhookKeys } from '../../core/contracts/webhooks.ts';
import type { Services } from './call.ts';

/** Rows that a request names. What the caller may not see does not exist. */

export async function loadMedia({ table }: Services, caller: Caller, mediaId: string): Promise<MediaRow> {
  const row = await getMedia(table, mediaId);
  if (!row || !maySee(caller, row.creatorId)) throw notFound('media');
  return row;
}

/** The media's current job; null before its first. */
export async function loadJob({ table }: Services, media: MediaRow): Promise<JobRow | null> {
  if (media.jobId === undefined) return null;
  return getJob(table, media.mediaId, parseJobId(media.jobId).n);
}

interface ByOwner {
  caller: Caller;
  params: { id: string };
  query: { creatorId?: string | undefined };
}

export async function loadCollection({ table }: Services, { caller, params, query }: ByOwner): Promise<CollectionRow> {
  const creatorId = creatorFor(caller, query.creatorId);
  const row = await getCollection(table, creatorId, params.id);
  if (!row) throw notFound('collection');
  return row;
}

export async function loadWebhook({ table }: Services, { caller, params, query }: ByOwner): Promise<EndpointRow> {
  const creatorId = creatorFor(caller, query.creatorId);
  const row = await getRow(table, webhookKeys.endpoint(creatorId, params.id), EndpointRow);
  if (!row) throw notFound('webhook endpoint');
  return row;
}
