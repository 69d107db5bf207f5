import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { hasStatus } from './http-status.ts';
import type { ObjectId } from './object-id.ts';
import { type Archive, archived, archiveOf } from './unreadable.ts';

export interface ObjectHead {
  size: number;
  /** With its quotes, as S3 returns it and as conditions take it. */
  etag: string;
  versionId?: string;
  lastModified: Date;
  /** Base64, of the whole object. */
  crc64nvme?: string;
  metadata: Record<string, string>;
  /** S3's name. */
  storageClass: string;
  /** Why its bytes can't be read now; absent when they can. */
  archived?: string;
  /** Absent of an object that is in none. */
  archive?: Archive;
}

/**
 * The metadata of an object; null when there is none, or only a delete marker.
 * @param options `forbiddenIsMissing`: the caller has no s3:ListBucket, without which S3 answers 403 for an object that does not exist
 */
export async function head(
  client: S3Client,
  object: ObjectId,
  options: { forbiddenIsMissing?: boolean } = {},
): Promise<ObjectHead | null> {
  const sent = client.send(
    new HeadObjectCommand({
      Bucket: object.bucket,
      Key: object.key,
      VersionId: object.versionId,
      ChecksumMode: 'ENABLED',
    }),
  );
  const answer = await orNull(sent, options.forbiddenIsMissing ? [403] : []);
  if (!answer) return null;
  const why = archived(answer);
  const archive = archiveOf(answer);
  return {
    size: answer.ContentLength ?? 0,
    etag: answer.ETag ?? '',
    ...(answer.VersionId && { versionId: answer.VersionId }),
    lastModified: answer.LastModified ?? new Date(0),
    ...(answer.ChecksumCRC64NVME && { crc64nvme: answer.ChecksumCRC64NVME }),
    metadata: answer.Metadata ?? {},
    storageClass: answer.StorageClass ?? 'STANDARD',
    ...(why !== null && { archived: why }),
    ...(archive !== null && { archive }),
  };
}

/** The bytes from `start` up to `end`, exclusive. For the few kilobytes of a probe. */
export async function readRange(client: S3Client, object: ObjectId, start: number, end: number): Promise<Uint8Array> {
  const { Body } = await client.send(
    new GetObjectCommand({
      Bucket: object.bucket,
      Key: object.key,
      VersionId: object.versionId,
      Range: `bytes=${start}-${end - 1}`,
    }),
  );
  if (!Body) throw new Error(`S3 sent no body for ${object.key}.`);
  return Body.transformToByteArray();
}

/** A result.json with the playlists of 24 hours in four rungs is about 17 MB, in six about 25 MB. */
const MAX_TEXT = 32 * 1024 * 1024;

export class TextTooLarge extends Error {
  override readonly name = 'TextTooLarge';
}

/**
 * A small text, or null when the object does not exist.
 * @throws TextTooLarge for one larger than 32 MiB
 */
export async function readText(client: S3Client, object: ObjectId): Promise<string | null> {
  const answer = await orNull(
    client.send(new GetObjectCommand({ Bucket: object.bucket, Key: object.key, VersionId: object.versionId })),
  );
  if (!answer?.Body) return null;
  if ((answer.ContentLength ?? 0) > MAX_TEXT) {
    (answer.Body as Readable).destroy();
    throw new TextTooLarge(`${object.key} is too large for a text.`);
  }
  return answer.Body.transformToString();
}

export interface NewObject {
  bucket: string;
  key: string;
  body: string;
  contentType: string;
  cacheControl: string;
  metadata?: Record<string, string>;
}

/** Replaces only what was read: `etag` of the object as it was, null where there was none. `conflict`: it has changed. */
export async function putIfMatch(
  client: S3Client,
  object: NewObject,
  etag: string | null,
): Promise<'written' | 'conflict'> {
  const sent = client.send(
    new PutObjectCommand({
      Bucket: object.bucket,
      Key: object.key,
      Body: object.body,
      ContentType: object.contentType,
      CacheControl: object.cacheControl,
      Metadata: object.metadata,
      ...(etag === null ? { IfNoneMatch: '*' } : { IfMatch: etag }),
    }),
  );
  return orConflict(sent);
}

/** How a conditional write ended. */
export async function orConflict(sent: Promise<unknown>): Promise<'written' | 'conflict'> {
  try {
    await sent;
    return 'written';
  } catch (error) {
    // 409: another conditional write of this key was under way. 404: it was deleted since it was read.
    if (hasStatus(error, 412, 409, 404)) return 'conflict';
    throw error;
  }
}

export interface Listed {
  key: string;
  size: number;
  etag: string;
  lastModified: Date;
}

/** One page of at most 1000 keys, in order. */
export async function listPage(
  client: S3Client,
  at: { bucket: string; prefix: string; startAfter?: string | undefined },
): Promise<{ items: Listed[]; more: boolean }> {
  const answer = await client.send(
    new ListObjectsV2Command({ Bucket: at.bucket, Prefix: at.prefix, StartAfter: at.startAfter }),
  );
  const items = (answer.Contents ?? []).map((item) => ({
    key: item.Key ?? '',
    size: item.Size ?? 0,
    etag: item.ETag ?? '',
    lastModified: item.LastModified ?? new Date(0),
  }));
  return { items, more: answer.IsTruncated === true };
}

/** Every object under a prefix; a page is fetched when it is needed. */
export async function* list(client: S3Client, bucket: string, prefix: string): AsyncGenerator<Listed> {
  let startAfter: string | undefined;
  for (;;) {
    const page = await listPage(client, { bucket, prefix, startAfter });
    yield* page.items;
    startAfter = page.items.at(-1)?.key;
    if (!page.more || startAfter === undefined) return;
  }
}

/**
 * The ids of the versions of exactly this key, the newest first, as S3 lists them, and of its delete markers. They are not sorted by
 * LastModified, because that of a multipart upload is the time when it began.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
 */
export async function listVersions(
  client: S3Client,
  { bucket, key }: ObjectId,
): Promise<{ versions: string[]; deleteMarkers: string[] }> {
  const found: { versions: string[]; deleteMarkers: string[] } = { versions: [], deleteMarkers: [] };
  const mine = (listed: { Key?: string | undefined; VersionId?: string | undefined }[] = []) =>
    listed.flatMap(({ Key, VersionId }) => (Key === key && VersionId ? [VersionId] : []));
  let KeyMarker: string | undefined;
  let VersionIdMarker: string | undefined;
  do {
    const page = await client.send(
      new ListObjectVersionsCommand({ Bucket: bucket, Prefix: key, KeyMarker, VersionIdMarker }),
    );
    found.versions.push(...mine(page.Versions));
    found.deleteMarkers.push(...mine(page.DeleteMarkers));
    // Keys that begin with this one come after all of its versions.
    const past = page.NextKeyMarker !== undefined && page.NextKeyMarker !== key;
    KeyMarker = page.IsTruncated && !past ? page.NextKeyMarker : undefined;
    VersionIdMarker = page.NextVersionIdMarker;
  } while (KeyMarker !== undefined);
  return found;
}

/**
 * Removes every version of every key under a prefix, and its delete markers, a page at a time, until `stop`.
 * @returns `stopped` when something may be left there
 */
export async function removeVersions(
  client: S3Client,
  bucket: string,
  prefix: string,
  stop: () => boolean = () => false,
): Promise<'removed' | 'stopped'> {
  while (!stop()) {
    const page = await client.send(new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix }));
    for (const { Key, VersionId } of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) {
      if (Key !== undefined) await remove(client, { bucket, key: Key, versionId: VersionId });
    }
    if (!page.IsTruncated) return 'removed';
  }
  return 'stopped';
}

/** Removes permanently. An object or version that is already gone is not an error. */
export async function remove(client: S3Client, object: ObjectId): Promise<void> {
  await client.send(new DeleteObjectCommand({ Bucket: object.bucket, Key: object.key, VersionId: object.versionId }));
}

/** Removes only what was read: the object with that `etag`. `conflict`: it has changed. */
export async function deleteIfMatch(client: S3Client, object: ObjectId, etag: string): Promise<'removed' | 'conflict'> {
  try {
    await client.send(new DeleteObjectCommand({ Bucket: object.bucket, Key: object.key, IfMatch: etag }));
    return 'removed';
  } catch (error) {
    if (hasStatus(error, 412, 409, 404)) return 'conflict';
    throw error;
  }
}

/** S3's limit of one DeleteObjects. */
const DELETE_BATCH = 1000;

/**
 * Removes many keys.
 * @throws Error when S3 could not remove some, naming the first
 */
export async function removeMany(client: S3Client, bucket: string, keys: readonly string[]): Promise<void> {
  for (let i = 0; i < keys.length; i += DELETE_BATCH) {
    const Objects = keys.slice(i, i + DELETE_BATCH).map((Key) => ({ Key }));
    const answer = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }));
    const [failed] = answer.Errors ?? [];
    if (failed) throw new Error(`S3 did not delete ${failed.Key}: ${failed.Code} ${failed.Message}`);
  }
}

/**
 * Removes everything under a prefix, a page at a time, until `stop`.
 * @returns `stopped` when something may be left there
 */
export async function removePrefix(
  client: S3Client,
  bucket: string,
  prefix: string,
  stop: () => boolean = () => false,
): Promise<'removed' | 'stopped'> {
  while (!stop()) {
    const page = await listPage(client, { bucket, prefix });
    await removeMany(
      client,
      bucket,
      page.items.map(({ key }) => key),
    );
    if (!page.more) return 'removed';
  }
  return 'stopped';
}

async function orNull<Answer>(sent: Promise<Answer>, missing: readonly number[] = []): Promise<Answer | null> {
  try {
    return await sent;
  } catch (error) {
    // S3 answers 405 when a delete marker is requested by its version.
    if (hasStatus(error, 404, 405, ...missing)) return null;
    throw error;
  }
}
