import { apiKeys, DUE_WORK } from '../contracts/table/keys.ts';
import type { MediaRow, UploadRow } from '../contracts/table/media.ts';
import type { Outcome } from './change.ts';

/**
 * A presigned URL cannot be revoked. URLs are issued until the deadline and are valid for an hour; a slow PUT that began in time
 * ends later, so a day is added.
 */
const URLS_LIVE_MS = 86_400_000;

/**
 * Whether the object at the key of an announced upload came by a URL that should not be used any more: the upload was given
 * up, its media item deleted, or its original removed after the encode. The S3 condition of the URL applies only while an object
 * exists. Once the URLs have expired, a drop at that key is a new upload.
 */
export function isLate(upload: UploadRow | null, media: MediaRow | null, now: string): boolean {
  if (!upload || Date.parse(now) > Date.parse(upload.deadline) + URLS_LIVE_MS) return false;
  return media === null || media.state === 'deleting' || isOriginalDeleted(media);
}

/** Whether nothing lies under the key of its upload any more, or soon, because we have removed it: by its collection's wish, or after its day. */
export function isOriginalDeleted({ originalDeletedAt, source, archive }: MediaRow): boolean {
  // A copy goes to another class only after its original was deleted.
  const isPurged = archive !== undefined && ['purging', 'purged', 'moving', 'moved'].includes(archive.state);
  return originalDeletedAt !== undefined || (source.archivedFrom !== undefined && isPurged);
}

/** Leaves that version to sweep, which may remove uploads. */
export function rememberLate(upload: UploadRow, versionId: string, now: string): Outcome {
  if (upload.late === versionId) return { refused: 'a late upload that sweep removes' };
  const set: Partial<UploadRow> = { late: versionId, todo: DUE_WORK.lateUpload, todoAt: now };
  return { change: [{ op: 'update', key: apiKeys.upload(upload.mediaId), expect: { type: 'upload' }, set }] };
}
