import type { S3Client } from '@aws-sdk/client-s3';
import type { ObjectId } from '../../aws/object-id.ts';
import { head } from '../../aws/s3.ts';
import { unreadableByHead } from '../../aws/unreadable.ts';
import type { ObjectCreated } from '../../core/contracts/events.ts';

export interface Newest {
  size: number;
  etag: string;
  versionId?: string | undefined;
  /** Why S3 does not return its bytes; absent when it does. */
  unreadable?: string | undefined;
}

/** The current object under a key in S3; null when there is none. For an object that not even HEAD may read, the event's data is used. */
export async function newestUploadInS3(
  s3: S3Client,
  { bucket, object }: ObjectCreated['detail'],
): Promise<Newest | null> {
  try {
    const found = await head(s3, { bucket: bucket.name, key: object.key });
    return found && { size: found.size, etag: found.etag, versionId: found.versionId, unreadable: found.archived };
  } catch (error) {
    const { size, etag, 'version-id': versionId } = object;
    const why = await unreadableByHead(s3, { bucket: bucket.name, key: object.key, versionId }, error);
    if (why === null) throw error;
    return { size, etag, versionId, unreadable: why };
  }
}

/** Whether S3 keeps this version, readable or not. */
export async function isThere(s3: S3Client, object: ObjectId): Promise<boolean> {
  try {
    return (await head(s3, object)) !== null;
  } catch (error) {
    if ((await unreadableByHead(s3, object, error)) === null) throw error;
    return true;
  }
}
