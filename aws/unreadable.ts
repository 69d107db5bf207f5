import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { hasStatus } from './http-status.ts';
import type { ObjectId } from './object-id.ts';

/** Storage state of an object, from the answer of HeadObject or GetObject. */
export interface Kept {
  StorageClass?: string | undefined;
  /** Archive tier of S3 Intelligent-Tiering. */
  ArchiveStatus?: string | undefined;
  /** `ongoing-request="false", expiry-date="…"` while a restored copy can be read. */
  Restore?: string | undefined;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html */
const ARCHIVES = new Set(['GLACIER', 'DEEP_ARCHIVE']);

/** Why an object's bytes can't be read now, according to HEAD; null when they can. */
export function archived({ StorageClass = '', ArchiveStatus, Restore = '' }: Kept): string | null {
  if (Restore.includes('ongoing-request="false"')) return null;
  const archive = ArchiveStatus ?? (ARCHIVES.has(StorageClass) ? StorageClass : undefined);
  return archive === undefined
    ? null
    : `The object is in an archive (${archive}); its bytes can be read only after a restore.`;
}

/**
 * Why S3 refuses an object's bytes to every caller that has only a permission to read; null for any other error.
 *
 * A plain AccessDenied is excluded: this deployment's own permission may be missing, which the operator corrects, and which must not
 * fail each upload permanently. A KMS key is recognized by its name in the message, or by an error code of its own.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, https://repost.aws/knowledge-center/s3-access-denied-error-kms
 */
export function unreadable(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  const { name, message } = error;
  if (name === 'InvalidObjectState') {
    const { StorageClass } = error as Error & Kept;
    return archived({ StorageClass: StorageClass ?? 'GLACIER' });
  }
  if (name.startsWith('KMS.') || (name === 'AccessDenied' && /\bkms:|KMS key|ciphertext refers/i.test(message))) {
    return 'The object is encrypted with a KMS key that dropreel may not use.';
  }
  if (name === 'InvalidRequest' && message.includes('Server Side Encryption')) {
    return 'The object is encrypted with a key that its uploader keeps (SSE-C).';
  }
  return null;
}

/**
 * The same for an error of HEAD, whose answers have no body and therefore no code: 400 or 403 may be any of those above, expired
 * credentials, or a missing permission. A GET of one byte shows which.
 */
export async function unreadableByHead(client: S3Client, object: ObjectId, error: unknown): Promise<string | null> {
  if (!hasStatus(error, 400, 403)) return null;
  const { bucket: Bucket, key: Key, versionId: VersionId } = object;
  try {
    await client.send(new GetObjectCommand({ Bucket, Key, VersionId, Range: 'bytes=0-0' }));
    return null;
  } catch (refusal) {
    return unreadable(refusal);
  }
}
