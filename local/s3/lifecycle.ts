import { deletedEvent } from './events.ts';
import { markerOf } from './objects.ts';
import type { Store } from './store.ts';

const DAY_MS = 86_400_000;

/** S3 acts at midnight UTC after the days have passed. */
const due = (since: number, days: number, now: number) => Math.ceil((since + days * DAY_MS) / DAY_MS) * DAY_MS <= now;

/** Does what the buckets' lifecycle rules ask for at this moment. Returns how many objects and uploads it removed. */
export async function runLifecycle(store: Store, now: number): Promise<number> {
  let removed = 0;
  for (const { configuration, keys, uploads } of store.buckets) {
    const bucket = configuration.name;
    for (const rule of configuration.lifecycle) {
      for (const [key, versions] of [...keys.from(rule.prefix)]) {
        if (!key.startsWith(rule.prefix)) break;
        const latest = versions.at(-1);
        if (rule.noncurrentDays !== undefined) {
          for (const [i, version] of versions.slice(0, -1).entries()) {
            if (!due(versions[i + 1]?.modified ?? now, rule.noncurrentDays, now)) continue;
            await store.commit({ type: 'remove', bucket, key, versionId: version.versionId });
            removed += 1;
          }
        }
        if (rule.expirationDays === undefined || !latest || latest.deleteMarker) continue;
        if (!due(latest.modified, rule.expirationDays, now)) continue;
        if (configuration.versioned) {
          const marker = markerOf({ store, bucket, now }, key);
          const event = deletedEvent(store, bucket, marker, 'Delete Marker Created', 'Lifecycle Expiration', undefined);
          await store.commit({ type: 'put', bucket, version: marker, event });
        } else {
          const gone = { ...latest, modified: now, sequencer: store.nextSequencer() };
          const event = deletedEvent(store, bucket, gone, 'Permanently Deleted', 'Lifecycle Expiration', undefined);
          await store.commit({ type: 'remove', bucket, key, versionId: latest.versionId, event });
        }
        removed += 1;
      }
      for (const upload of [...uploads.values()]) {
        if (rule.abortUploadDays === undefined || !upload.key.startsWith(rule.prefix)) continue;
        if (!due(upload.initiated, rule.abortUploadDays, now)) continue;
        await store.commit({ type: 'end', bucket, uploadId: upload.uploadId });
        removed += 1;
      }
    }
  }
  return removed;
}
