/** The grammar of the one table's keys: no other module builds a partition or sort key, or parses one. */

export type RowKey = { pk: string; sk: string };

/** Rows of one partition whose sort keys begin alike. */
export interface RowRange {
  pk: string;
  skBegins: string;
}

/**
 * Prefixes of partition keys, for the roles of functions: a role names the partitions that it may access. Webhooks with their
 * secrets have a partition of their own for this reason. docs/decisions/0006-partitions.md
 */
export const PARTITIONS = {
  media: 'MEDIA#',
  creator: 'CREATOR#',
  sweep: 'SWEEP#',
  webhooks: 'WEBHOOKS#',
  deliveries: 'WEBHOOK#',
  counts: 'COUNTS',
  shares: 'SHARE#',
  health: 'HEALTH',
  badKeys: 'BAD-KEYS',
  secret: 'SECRET',
  engines: 'ENGINES',
  costs: 'COSTS#',
} as const;

/** Prefixes of the sort keys of rows of which a partition has several. */
const BEGINS = {
  job: 'JOB#',
  oldVersion: 'OLD#',
  grown: 'GROWN#',
  collection: 'COLLECTION#',
  preset: 'PRESET#',
  presetVersion: 'PRESET-VERSION#',
  rollOut: 'ROLL-OUT#',
  endpoint: 'WEBHOOK#',
  delivery: 'DELIVERY#',
};

/** Sorts by number, since a media item has fewer than a million jobs, and a preset fewer versions. */
const numbered = (n: number) => String(n).padStart(6, '0');

export const rowKeys = {
  media: (mediaId: string) => ({ pk: `${PARTITIONS.media}${mediaId}`, sk: 'MEDIA' }),
  tombstone: (mediaId: string) => ({ pk: `${PARTITIONS.media}${mediaId}`, sk: 'TOMBSTONE' }),
  oldVersion: (mediaId: string, n: number) => ({
    pk: `${PARTITIONS.media}${mediaId}`,
    sk: `${BEGINS.oldVersion}${numbered(n)}`,
  }),
  /** An OldVersionRow too: of what was shown of version n before it was whole. */
  grown: (mediaId: string, n: number) => ({
    pk: `${PARTITIONS.media}${mediaId}`,
    sk: `${BEGINS.grown}${numbered(n)}`,
  }),
  job: (mediaId: string, n: number) => ({
    pk: `${PARTITIONS.media}${mediaId}`,
    sk: `${BEGINS.job}${numbered(n)}`,
  }),
  /** All jobs of a media item, by number. */
  jobs: (mediaId: string): RowRange => ({ pk: `${PARTITIONS.media}${mediaId}`, skBegins: BEGINS.job }),
  /** An ArchiveRow. */
  archive: (mediaId: string) => ({ pk: `${PARTITIONS.media}${mediaId}`, sk: 'ARCHIVE' }),
  archivePolicy: (creatorId: string, collectionId: string) => ({
    pk: `${PARTITIONS.creator}${creatorId}`,
    sk: `ARCHIVE#${collectionId}`,
  }),
  archiveStats: (creatorId: string, collectionId: string) => ({
    pk: `${PARTITIONS.creator}${creatorId}`,
    sk: `ARCHIVE-STATS#${collectionId}`,
  }),
  collection: (creatorId: string, collectionId: string) => ({
    pk: `${PARTITIONS.creator}${creatorId}`,
    sk: `${BEGINS.collection}${collectionId}`,
  }),
  collections: (creatorId: string): RowRange => ({
    pk: `${PARTITIONS.creator}${creatorId}`,
    skBegins: BEGINS.collection,
  }),
  collectionTombstone: (creatorId: string, collectionId: string) => ({
    pk: `${PARTITIONS.creator}${creatorId}`,
    sk: `TOMBSTONE#${collectionId}`,
  }),
  /** A PresetRow. */
  preset: (creatorId: string, name: string) => ({
    pk: `${PARTITIONS.creator}${creatorId}`,
    sk: `${BEGINS.preset}${name}`,
  }),
  presets: (creatorId: string): RowRange => ({ pk: `${PARTITIONS.creator}${creatorId}`, skBegins: BEGINS.preset }),
  presetVersion: (creatorId: string, name: string, version: number) => ({
    pk: `${PARTITIONS.creator}${creatorId}`,
    sk: `${BEGINS.presetVersion}${name}#${numbered(version)}`,
  }),
  /** All versions that a preset ever had, by number. */
  presetVersions: (creatorId: string, name: string): RowRange => ({
    pk: `${PARTITIONS.creator}${creatorId}`,
    skBegins: `${BEGINS.presetVersion}${name}#`,
  }),
  /** Counts the versions of all presets that a creator ever had. */
  presetCount: (creatorId: string) => ({ pk: `${PARTITIONS.creator}${creatorId}`, sk: 'PRESET-COUNT' }),
  /** A RollOutRow. */
  rollOut: (creatorId: string, name: string) => ({
    pk: `${PARTITIONS.creator}${creatorId}`,
    sk: `${BEGINS.rollOut}${name}`,
  }),
  sweep: () => ({ pk: PARTITIONS.sweep, sk: 'SWEEP' }),
  /** Apart from the other rows of health, because the function that parses uploads writes it. */
  latestBadKey: () => ({ pk: PARTITIONS.badKeys, sk: 'LATEST' }),
  /** A LeaseRow; the prefix in the table is older than its name here. */
  lease: (of: string) => ({ pk: PARTITIONS.sweep, sk: `TURN#${of}` }),
};

/** Which job a row's key names; null for the key of any other row. */
export function parseJobKey({ pk, sk }: RowKey): { mediaId: string; n: number } | null {
  if (!pk.startsWith(PARTITIONS.media) || !sk.startsWith(BEGINS.job)) return null;
  return { mediaId: pk.slice(PARTITIONS.media.length), n: Number(sk.slice(BEGINS.job.length)) };
}

/** Whether the row is one of a media's versions: a job, or a version that waits for its removal. */
export function isVersionKey({ sk }: RowKey): boolean {
  return [BEGINS.job, BEGINS.oldVersion, BEGINS.grown].some((begins) => sk.startsWith(begins));
}

/** Partition key of the index byCollection. */
export function collectionOf(creatorId: string, collectionId: string): string {
  return `${creatorId}#${collectionId}`;
}

/**
 * Secondary indexes, all with keys only, so that a change of a row is written to an index only if it changes one of its keys.
 * byCreator and byCollection hold media, todo is sparse.
 */
export const INDEXES = {
  byCreator: { name: 'byCreator', pk: 'owner', sk: 'createdAt' },
  byCollection: { name: 'byCollection', pk: 'collection', sk: 'createdAt' },
  todo: { name: 'todo', pk: 'todo', sk: 'todoAt' },
} as const;

/** Values of `todo`: what sweep looks for. `todoAt` is the time from which it is due. */
export const DUE_WORK = {
  /** A job of a new upload that has not ended; published jobs count as ended. */
  job: 'job',
  /** The same for a re-transcode: separate, so that the unfinished ones can be counted. */
  retranscodeJob: 'retranscode-job',
  /** A job of either kind that is held back by a cap: separate, so that it counts for none of them. */
  heldJob: 'held-job',
  /** A job of either kind whose source is being restored from an archive: looked at from `todoAt` on. */
  restoringJob: 'restoring-job',
  /** A media item flagged for re-transcoding. */
  retranscode: 'retranscode',
  /** A collection flagged for re-transcoding. */
  collection: 'collection',
  /** A RollOutRow that goes on by itself. */
  rollOut: 'roll-out',
  /** An OldVersionRow, whose grace period ends at todoAt. */
  expire: 'expire',
  /** A media item marked for deletion. */
  delete: 'delete',
  /** An announced upload that was not finished by todoAt. */
  upload: 'upload',
  /** A webhook delivery whose message seems lost: see core/webhooks/undelivered.ts. */
  delivery: 'delivery',
  /** An UploadRow with an object that came too late. */
  lateUpload: 'late-upload',
  /** An ArchivePolicyRow. */
  archivePolicy: 'archive-policy',
  /** An ArchiveRow with a job under way, or whose copy takes the original's place. */
  archiveJob: 'archive-job',
  /** An ArchiveRow whose original may be deleted. */
  archivePurge: 'archive-purge',
  /** An ArchiveRow whose original, or copy, goes to another storage class, or whose tag for that is to be removed. */
  archiveMove: 'archive-move',
  /** An ArchiveRow that is due, and whose original is being restored from a class that cannot be read. */
  archiveRestore: 'archive-restore',
  /** An ArchiveRow that was restored: its copy is removed. */
  archiveRemove: 'archive-remove',
} as const;

/** Value of `todo` of a collection's ArchiveRows that are due; `todoAt` is when the media item was made, so that the oldest comes first. */
export function archiveDue(creatorId: string, collectionId: string): string {
  return `archive-due#${collectionOf(creatorId, collectionId)}`;
}

export const apiKeys = {
  upload: (mediaId: string) => ({ pk: `${PARTITIONS.media}${mediaId}`, sk: 'UPLOAD' }),
  /** `key` is a hash of the client's key. */
  idempotency: (creatorId: string, key: string) => ({ pk: `IDEMPOTENCY#${creatorId}`, sk: key }),
  /** Counts of one creator. The partition is also the list of all creators that ever had a media item. */
  counts: (creatorId: string) => ({ pk: PARTITIONS.counts, sk: creatorId }),
  share: (mediaId: string) => ({ pk: `${PARTITIONS.shares}${mediaId}`, sk: 'SHARE' }),
  /** `hour` as `2026-11-21T14`. */
  hour: (hour: string) => ({ pk: PARTITIONS.health, sk: `HOUR#${hour}` }),
  /** A CostRow. `day` as `2026-11-21`. */
  cost: (
    day: string,
    { creatorId, collectionId, engine }: { creatorId: string; collectionId: string; engine: string },
  ) => ({
    pk: `${PARTITIONS.costs}${day}`,
    sk: `${creatorId}#${collectionId}#${engine}`,
  }),
  /** All CostRows of a day. */
  costsOfDay: (day: string) => ({ pk: `${PARTITIONS.costs}${day}` }),
  /** Those of one creator. */
  costs: (day: string, creatorId: string): RowRange => ({ pk: `${PARTITIONS.costs}${day}`, skBegins: `${creatorId}#` }),
  latestFailure: { pk: PARTITIONS.health, sk: 'LATEST-FAILURE' },
  /** The key from which the secrets of engine callbacks are derived. */
  engineKey: { pk: PARTITIONS.secret, sk: 'ENGINE-CALLBACKS' },
  callback: (jobId: string, messageId: string) => ({ pk: `CALLBACK#${jobId}`, sk: messageId }),
};

/** What is known of the engines. */
export const engineKeys = {
  /** An EngineRow. */
  engine: (name: string) => ({ pk: PARTITIONS.engines, sk: `ENGINE#${name}` }),
  /** A LoadRow. */
  load: { pk: PARTITIONS.engines, sk: 'LOAD' },
  /** An ExperienceRow. `of` is a class of sources, by core/jobs/experience.ts. */
  experience: (of: string) => ({ pk: PARTITIONS.engines, sk: `EXPERIENCE#${of}` }),
};

export const webhookKeys = {
  /** Holds the secrets: separate from a creator's other rows, which functions that parse media may read. */
  endpoint: (creatorId: string, endpointId: string) => ({
    pk: `${PARTITIONS.webhooks}${creatorId}`,
    sk: `${BEGINS.endpoint}${endpointId}`,
  }),
  endpoints: (creatorId: string): RowRange => ({
    pk: `${PARTITIONS.webhooks}${creatorId}`,
    skBegins: BEGINS.endpoint,
  }),
  /** Counts a creator's endpoints, so that two creations at once keep to the limit. */
  count: (creatorId: string) => ({ pk: `${PARTITIONS.webhooks}${creatorId}`, sk: 'COUNT' }),
  pings: (creatorId: string, hour: string) => ({ pk: `${PARTITIONS.webhooks}${creatorId}`, sk: `PINGS#${hour}` }),
  breaker: (endpointId: string) => ({ pk: `${PARTITIONS.deliveries}${endpointId}`, sk: 'BREAKER' }),
  place: (creatorId: string, place: number) => ({ pk: `${PARTITIONS.deliveries}${creatorId}`, sk: `PLACE#${place}` }),
  delivery: (endpointId: string, deliveryId: string) => ({
    pk: `${PARTITIONS.deliveries}${endpointId}`,
    sk: `${BEGINS.delivery}${deliveryId}`,
  }),
  deliveries: (endpointId: string): RowRange => ({
    pk: `${PARTITIONS.deliveries}${endpointId}`,
    skBegins: BEGINS.delivery,
  }),
};
