import { deletedEvent } from './events.ts';
import type { ObjectVersion } from './model.ts';
import { markerOf } from './objects.ts';
import type { Store } from './store.ts';

const DAY_MS = 86_400_000;

/** S3 acts at midnight UTC after the days have passed. */
const due = (since: number, days: number, now: number) => Math.ceil((since + days * DAY_MS) / DAY_MS) * DAY_MS <= now;

/** Applies the buckets' lifecycle rules now. Returns the number of removed objects and uploads. */
export async function runLifecycle(store: Store, now: number): Promise<number> {
  let removed = 0;
  for (const { configuration, keys, uploads } of store.buckets) {
    const bucket = configuration.name;
    for (const rule of configuration.lifecycle) {
      for (const [key, versions] of [...keys.from(rule.prefix)]) {
        if (!key.startsWith(rule.prefix)) break;
        // The check of a version and its removal happen in one turn, so that newer writes are not affected.
        if (rule.noncurrentDays !== undefined) {
          for (const version of versions.slice(0, -1)) {
            const current = keys.get(key) ?? [];
            const next = current[current.indexOf(version) + 1];
            if (!current.includes(version) || !next || !due(next.modified, rule.noncurrentDays, now)) continue;
            await removeVersion(store, bucket, version, now);
            removed += 1;
          }
        }
        const latest = store.latest(bucket, key);
        if (rule.expirationDays === undefined || !latest || latest.deleteMarker) continue;
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
