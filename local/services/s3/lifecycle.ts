import { changedEvent, deletedEvent } from './events.ts';
import type { LifecycleRule, ObjectVersion } from './model.ts';
import { isLocked } from './object-lock.ts';
import { markerOf } from './objects.ts';
import { storageClassOf, withClass } from './storage-class.ts';
import type { Store } from './store.ts';

const DAY_MS = 86_400_000;

/** S3 acts at midnight UTC after the days have passed. */
const due = (since: number, days: number, now: number) => Math.ceil((since + days * DAY_MS) / DAY_MS) * DAY_MS <= now;

/** Applies the buckets' lifecycle rules now. Returns the number of removed objects and uploads, and of transitions. */
export async function runLifecycle(store: Store, now: number): Promise<number> {
  let removed = 0;
  for (const { configuration, keys, uploads } of store.buckets) {
    const bucket = configuration.name;
    for (const rule of configuration.lifecycle) {
      for (const [key, versions] of [...keys.from(rule.prefix)]) {
        if (!key.startsWith(rule.prefix)) break;
        removed += await transition(store, bucket, rule, key, now);
        // The check of a version and its removal happen in one turn, so that newer writes are not affected.
        if (rule.noncurrentDays !== undefined) {
          for (const version of versions.slice(0, -1)) {
            if (!matches(rule, version) || isLocked(version, now)) continue;
            const current = keys.get(key) ?? [];
            const next = current[current.indexOf(version) + 1];
            if (!current.includes(version) || !next || !due(next.modified, rule.noncurrentDays, now)) continue;
            await removeVersion(store, bucket, version, now);
            removed += 1;
          }
        }
        const latest = store.latest(bucket, key);
        if (rule.expirationDays === undefined || !latest || latest.deleteMarker || !matches(rule, latest)) continue;
        if (!due(latest.modified, rule.expirationDays, now)) continue;
        if (configuration.versioned) {
          const marker = markerOf({ store, bucket, now }, key);
          const event = deletedEvent(store, {
            bucket,
            version: marker,
            deletion: 'Delete Marker Created',
            reason: 'Lifecycle Expiration',
            by: undefined,
          });
          await store.commit({ type: 'put', bucket, version: marker, event });
        } else {
          await removeVersion(store, bucket, latest, now);
        }
        removed += 1;
      }
      for (const upload of [...uploads.values()]) {
        if (rule.abortUploadDays === undefined || !upload.key.startsWith(rule.prefix)) continue;
        if (!uploads.has(upload.uploadId) || !due(upload.initiated, rule.abortUploadDays, now)) continue;
        await store.commit({ type: 'end', bucket, uploadId: upload.uploadId });
        removed += 1;
      }
    }
  }
  return removed;
}

function matches({ tags = {}, largerThan }: LifecycleRule, version: ObjectVersion): boolean {
  if (largerThan !== undefined && version.size <= largerThan) return false;
  return Object.entries(tags).every(([key, value]) => version.tags?.[key] === value);
}

/**
 * Warmest first; a transition goes only downwards.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
 */
const WATERFALL = [
  'STANDARD',
  'STANDARD_IA',
  'INTELLIGENT_TIERING',
  'ONEZONE_IA',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
];
/** Smaller objects are left where they are, unless a rule names a size. On the same page. */
const LEFT_BYTES = 128 * 1024;

/** Moves the current version of a key to the coldest class of the rule that is due. Returns how many were moved. */
async function transition(store: Store, bucket: string, rule: LifecycleRule, key: string, now: number): Promise<0 | 1> {
  const version = store.latest(bucket, key);
  if (!version || version.deleteMarker || !matches(rule, version)) return 0;
  if (rule.largerThan === undefined && version.size < LEFT_BYTES) return 0;
  const classes = (rule.transitions ?? [])
    .filter(({ days }) => due(version.modified, days, now))
    .map(({ storageClass }) => WATERFALL.indexOf(storageClass));
  const coldest = WATERFALL[Math.max(-1, ...classes)];
  if (coldest === undefined || WATERFALL.indexOf(coldest) <= WATERFALL.indexOf(storageClassOf(version))) return 0;
  const moved = withClass(version, coldest);
  const event = changedEvent(store, {
    ...{ bucket, version: moved, detailType: 'Object Storage Class Changed', at: now, by: undefined },
    detail: { 'destination-storage-class': coldest },
  });
  await store.commit({ type: 'change', bucket, version: moved, event });
  return 1;
}

function removeVersion(store: Store, bucket: string, version: ObjectVersion, now: number): Promise<void> {
  const gone = { ...version, modified: now, sequencer: store.nextSequencer() };
  const event = deletedEvent(store, {
    bucket,
    version: gone,
    deletion: 'Permanently Deleted',
    reason: 'Lifecycle Expiration',
    by: undefined,
  });
  return store.commit({ type: 'remove', bucket, key: version.key, versionId: version.versionId, event });
}
