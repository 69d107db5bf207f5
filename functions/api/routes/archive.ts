import { head } from '../../../aws/s3.ts';
import { apply, applyWithRetry, getRow } from '../../../aws/table.ts';
import { getRows, queryTodo } from '../../../aws/table-queries.ts';
import { faultOfReading } from '../../../aws/unreadable.ts';
import { etagOf, matches } from '../../../core/api/etag.ts';
import { ApiError } from '../../../core/api/problem.ts';
import { mediaView } from '../../../core/api/views.ts';
import { collectionPolicyKey } from '../../../core/archive/candidates.ts';
import { savedPercent } from '../../../core/archive/compare.ts';
import { CollectionArchivePolicy } from '../../../core/contracts/archive.ts';
import type { ArchiveView } from '../../../core/contracts/http/archive.ts';
import type { MediaView } from '../../../core/contracts/http/media.ts';
import { ArchivePolicyRow, ArchiveRow, ArchiveStatsRow } from '../../../core/contracts/table/archive.ts';
import type { CollectionRow } from '../../../core/contracts/table/collections.ts';
import { DUE_WORK, rowKeys } from '../../../core/contracts/table/keys.ts';
import { archiveDueNow } from '../../../core/jobs/archive.ts';
import { classTakenBack } from '../../../core/jobs/archive-class.ts';
import { archiveRestored } from '../../../core/jobs/archive-purge.ts';
import type { Outcome, Update } from '../../../core/jobs/change.ts';
import { plus } from '../../../core/time.ts';
import { archivePlan } from '../archive-plan.ts';
import { type ApiCall, type ApiServices, type Routes, viewSettings } from '../call.ts';
import { collectionIsThere, loadArchive, loadCollection, loadMedia } from '../load.ts';

type Ids = 'getArchive' | 'planArchive' | 'patchArchive' | 'runArchive' | 'archiveMedia' | 'restoreOriginal';

/** How long a forced run may take: what is not done by then waits for the window again. */
const FORCED_HOURS = 24;
/** Copies under way of all collections that are looked through for those of one. */
const MOST_UNDER_WAY = 500;

export const archiveRoutes: Routes<Ids> = {
  async getArchive(call, services) {
    return withEtag(await archiveView(services, await loadCollection(services, call)));
  },

  async patchArchive(call, services) {
    const { body, now, headers } = call;
    const collection = await loadCollection(services, call);
    const before = await withEtag(await archiveView(services, collection));
    if (!matches(headers.get('if-match'), before.headers.ETag)) {
      throw new ApiError('precondition_failed', 'The archive changed since it was read.');
    }
    await changePolicy(services, collection, now, (row) => {
      const policy = CollectionArchivePolicy.parse({ ...row?.policy, ...body.policy });
      const enabled = body.enabled ?? row?.enabled ?? false;
      // What was refused under another policy is a candidate again, and so is what was too young.
      const isSame =
        row !== null &&
        collectionPolicyKey(row.policy) === collectionPolicyKey(policy) &&
        row.policy.minAgeDays === policy.minAgeDays;
      const set = { policy, enabled, ...(enabled && { todo: DUE_WORK.archivePolicy, todoAt: now }) };
      return {
        set,
        remove: [...(isSame ? [] : (['cursor'] as const)), ...(enabled ? [] : (['forcedUntil'] as const))],
      };
    });
    return withEtag(await archiveView(services, collection));
  },

  async planArchive(call, services) {
    const { now, query } = call;
    const collection = await loadCollection(services, call);
    const policy = await policyOf(services, collection);
    return { body: await archivePlan(services, collection, policy, { cursor: query.cursor, now }) };
  },

  async runArchive(call, services) {
    const { body, now } = call;
    const collection = await loadCollection(services, call);
    await changePolicy(services, collection, now, (row) => {
      if (!row?.enabled && !body.force) throw new ApiError('wrong_state', 'The archive of this collection is off.');
      const forcedUntil = plus(now, { hours: FORCED_HOURS });
      return {
        set: { ...dueNow(row, now), ...(body.force && { forcedUntil }) },
        remove: body.all ? ['cursor'] : [],
      };
    });
    return { body: await archiveView(services, collection) };
  },

  async archiveMedia(call, services) {
    const { caller, params, now } = call;
    const first = await loadMedia(services, caller, params.id);
    const collection = await loadCollection(services, {
      ...{ caller, params: { id: first.collectionId }, query: { creatorId: first.creatorId } },
    });
    const policy = await policyOf(services, collection);
    const done = await applyWithRetry(services.table, async () => {
      const media = await loadMedia(services, caller, params.id);
      const row = await getRow(services.table, rowKeys.archive(media.mediaId), ArchiveRow);
      return archiveDueNow(media, row, { policy: collectionPolicyKey(policy), asked: true, now });
    });
    if ('refused' in done) throw new ApiError('wrong_state', `It cannot be archived now: ${done.refused}.`);
    await changePolicy(services, collection, now, (row) => ({ set: dueNow(row, now), remove: [] }));
    return mediaAnswer(call, services);
  },

  async restoreOriginal(call, services) {
    const { caller, params, now } = call;
    const { table, s3 } = services;
    await applyWithRetry(table, async () => {
      const media = await loadMedia(services, caller, params.id);
      const row = await getRow(table, rowKeys.archive(media.mediaId), ArchiveRow);
      if (row?.state === 'purging' || row?.deletedAt !== undefined) {
        throw new ApiError('original_deleted', 'Its original is deleted. What is there is the copy that was verified.');
      }
      if (row?.state === 'moving') return taken(classTakenBack(row, media, now));
      if (row?.state === 'moved') throw new ApiError('wrong_state', movedText(row));
      if (row?.state !== 'archived') throw new ApiError('wrong_state', 'Its original is not in the archive.');
      const found = await head(s3, row.source, { forbiddenIsMissing: true });
      if (!found || found.size !== row.source.size) {
        throw new ApiError('original_deleted', 'S3 does not have the original any more; nothing was changed.');
      }
      // One in an archive is restored by S3 for whatever encodes it. The copy would be removed later.
      const why = found.archived === undefined ? await faultOfReading(s3, row.source) : null;
      if (why !== null) throw new ApiError('wrong_state', `Its original cannot be read. ${why} Nothing was changed.`);
      return taken(archiveRestored(row, media, now));
    });
    return mediaAnswer(call, services);
  },
};

async function withEtag(body: ArchiveView): Promise<{ body: ArchiveView; headers: { ETag: string } }> {
  return { body, headers: { ETag: await etagOf({ enabled: body.enabled, policy: body.policy }) } };
}

function taken(outcome: Outcome): Outcome {
  if ('refused' in outcome) throw new ApiError('wrong_state', `It cannot be restored now: ${outcome.refused}.`);
  return outcome;
}

/** S3 moves nothing up again: it is the original still, under its own key, and as it was. */
function movedText({ storageClass }: ArchiveRow): string {
  const isRead =
    storageClass === 'GLACIER_IR' ? 'can be read at once' : 'is restored by S3 for whatever encodes it again';
  return `Its original is in ${storageClass}, unchanged, and ${isRead}; S3 does not move it back to Standard.`;
}

/** A collection that nobody has enabled has the policy of the defaults, and is off. */
function dueNow(row: ArchivePolicyRow | null, now: string) {
  const policy = row?.policy ?? CollectionArchivePolicy.parse({});
  return { policy, enabled: row?.enabled ?? false, todo: DUE_WORK.archivePolicy, todoAt: now } as const;
}

async function policyOf({ table }: ApiServices, { creatorId, collectionId }: CollectionRow) {
  const row = await getRow(table, rowKeys.archivePolicy(creatorId, collectionId), ArchivePolicyRow);
  return row?.policy ?? CollectionArchivePolicy.parse({});
}

/** Changes the row of a collection's policy, or makes it, while the collection is there. */
async function changePolicy(
  { table }: ApiServices,
  { creatorId, collectionId }: CollectionRow,
  now: string,
  change: (row: ArchivePolicyRow | null) => {
    set: Partial<ArchivePolicyRow>;
    remove: readonly (keyof ArchivePolicyRow)[];
  },
): Promise<void> {
  const key = rowKeys.archivePolicy(creatorId, collectionId);
  for (let tries = 1; ; tries++) {
    const row = await getRow(table, key, ArchivePolicyRow);
    const { set, remove } = change(row);
    const update: Update<ArchivePolicyRow> = {
      ...{ op: 'update', key, expect: { rev: row?.rev ?? null }, remove },
      set: { type: 'archive-policy', creatorId, collectionId, ...set, rev: (row?.rev ?? 0) + 1, updatedAt: now },
    };
    if ((await apply(table, [update, collectionIsThere(creatorId, collectionId)])) === 'applied') return;
    if (tries === 3) throw new ApiError('conflict', 'The archive was changed at the same moment.');
  }
}

async function archiveView({ table }: ApiServices, { creatorId, collectionId }: CollectionRow): Promise<ArchiveView> {
  const [row, stats, { items }] = await Promise.all([
    getRow(table, rowKeys.archivePolicy(creatorId, collectionId), ArchivePolicyRow),
    getRow(table, rowKeys.archiveStats(creatorId, collectionId), ArchiveStatsRow),
    queryTodo(table, DUE_WORK.archiveJob, { until: '9999', limit: MOST_UNDER_WAY }),
  ]);
  const underWay = await getRows(table, items, ArchiveRow);
  const { archived = 0, originalBytes = 0, archivedBytes = 0, keptBytes = 0, last = null } = stats ?? {};
  const { moved = 0, movedBytes = 0 } = stats ?? {};
  return {
    ...{ collectionId, creatorId, enabled: row?.enabled ?? false },
    policy: row?.policy ?? CollectionArchivePolicy.parse({}),
    waits: row?.waits ?? null,
    nextLookAt: row?.todoAt ?? null,
    stats: {
      ...{ archived, originalBytes, archivedBytes, keptBytes, moved, movedBytes, last, refused: refusedBy(stats) },
      savedPercent: savedPercent(originalBytes, archivedBytes),
    },
    current: underWay
      .filter((job) => job.creatorId === creatorId && job.collectionId === collectionId)
      .map(({ mediaId, jobId, state, at, startedAt, waits }) => ({
        ...{ mediaId, ...(jobId !== undefined && { jobId }), state, since: startedAt ?? at },
        ...(waits !== undefined && { waits }),
      })),
  };
}

/** Sums of the row by reason, as `refused savings`. */
function refusedBy(stats: ArchiveStatsRow | null): Record<string, number> {
  const entries = Object.entries(stats ?? {}).flatMap(([name, value]) => {
    const reason = /^refused (\w+)$/.exec(name)?.[1];
    return reason !== undefined && typeof value === 'number' && value > 0 ? [[reason, value] as const] : [];
  });
  return Object.fromEntries(entries);
}

async function mediaAnswer(
  call: Pick<ApiCall<'getMedia'>, 'caller' | 'params' | 'now'>,
  services: ApiServices,
): Promise<{ body: MediaView }> {
  const media = await loadMedia(services, call.caller, call.params.id);
  return { body: mediaView(media, viewSettings(call, services), { archive: await loadArchive(services, media) }) };
}
