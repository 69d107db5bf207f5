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

/** The archive that an object is in, and what has become of a restore. */
export interface Archive {
  /** The class, or the archive tier of INTELLIGENT_TIERING. */
  name: string;
  /** Whether a restore is under way. */
  isRestoring: boolean;
  /** Until when a restored copy can be read. The class of the object stays. */
  readableUntil?: Date;
}

/** According to HEAD; null for an object that is in none. */
export function archiveOf({ StorageClass = '', ArchiveStatus, Restore = '' }: Kept): Archive | null {
  const name = ArchiveStatus ?? (ARCHIVES.has(StorageClass) ? StorageClass : undefined);
  if (name === undefined) return null;
  const isRestoring = Restore.includes('ongoing-request="true"');
  const until = new Date(Restore.split('expiry-date="')[1]?.split('"')[0] ?? Number.NaN);
  const isThere = Restore.includes('ongoing-request="false"') && !Number.isNaN(until.getTime());
  return { name, isRestoring, ...(isThere && { readableUntil: until }) };
}

/** Why an object's bytes can't be read now, according to HEAD; null when they can. */
export function archived(kept: Kept): string | null {
  const archive = archiveOf(kept);
  if (archive === null || (archive.readableUntil && archive.readableUntil.getTime() > Date.now())) return null;
  return `The object is in an archive (${archive.name}); its bytes can be read only after a restore.`;
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
  const refusal = await refusalOfByte(client, object);
  return refusal === null ? null : unreadable(refusal);
}

/**
 * Why an object that HEAD has found cannot be read, by a GET of its first byte: HEAD tells of what S3 has, and not whether a key still opens it.
 * Null where it can be read.
 */
export async function faultOfReading(client: S3Client, object: ObjectId): Promise<string | null> {
  const refusal = await refusalOfByte(client, object);
  if (refusal === null) return null;
  const why = unreadable(refusal);
  if (why === null) throw refusal;
  return why;
}

/** What S3 answers to a GET of the first byte; null: the byte. */
async function refusalOfByte(client: S3Client, { bucket, key, versionId }: ObjectId): Promise<unknown> {
  const byte = new GetObjectCommand({ Bucket: bucket, Key: key, VersionId: versionId, Range: 'bytes=0-0' });
  try {
    const { Body } = await client.send(byte);
    await Body?.transformToByteArray();
    return null;
  } catch (error) {
    return error;
  }
}
