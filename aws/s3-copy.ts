import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { eachLimit } from './concurrency.ts';
import { abortMultipart, listParts } from './multipart.ts';
import { type NewObject, orConflict } from './s3.ts';

export interface CopyRequest {
  bucket: string;
  /** Absent: the same. */
  fromBucket?: string;
  from: string;
  /** Of what is to be copied: S3 copies nothing else. Absent: whatever is there. */
  etag?: string;
  to: string;
  size: number;
  contentType: string;
  cacheControl: string;
}

/** Largest object that one CopyObject copies. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export const COPY_LIMIT = 5 * 1024 ** 3;
/** Up to 10 TiB in 10,000 parts. */
export const PART_SIZE = 1024 ** 3;
const PARTS_AT_ONCE = 8;

/**
 * Copies an object, inside S3.
 * @param limit bytes above which it copies in parts
 * @returns the copy's CRC64NVME, base64, of the whole object
 */
export async function copyObject(
  client: S3Client,
  copy: CopyRequest,
  limit = COPY_LIMIT,
  partSize = PART_SIZE,
): Promise<string | undefined> {
  if (copy.size > limit) return copyInParts(client, copy, partSize);
  const { CopyObjectResult } = await client.send(
    new CopyObjectCommand({
      Bucket: copy.bucket,
      Key: copy.to,
      CopySource: sourceOf(copy),
      CopySourceIfMatch: copy.etag,
      MetadataDirective: 'REPLACE',
      ContentType: copy.contentType,
      CacheControl: copy.cacheControl,
      ChecksumAlgorithm: 'CRC64NVME',
    }),
  );
  return CopyObjectResult?.ChecksumCRC64NVME;
}

/**
 * Copies a small object over what was read, or to where nothing was: `etag` of the object there, or null.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 * @returns `conflict` when what is there has changed
 */
export async function copyIfMatch(
  client: S3Client,
  copy: Omit<NewObject, 'body'> & { from: string },
  etag: string | null,
): Promise<'written' | 'conflict'> {
  const sent = client.send(
    new CopyObjectCommand({
      Bucket: copy.bucket,
      Key: copy.key,
      CopySource: sourceOf(copy),
      MetadataDirective: 'REPLACE',
      ContentType: copy.contentType,
      CacheControl: copy.cacheControl,
      Metadata: copy.metadata,
      ...(etag === null ? { IfNoneMatch: '*' } : { IfMatch: etag }),
    }),
  );
  return orConflict(sent);
}

async function copyInParts(client: S3Client, copy: CopyRequest, partSize: number): Promise<string | undefined> {
  const uploadId = await beginCopy(client, copy);
  try {
    const parts: CopiedPart[] = [];
    await copyMissing(client, { ...copy, uploadId, partSize }, parts);
    return await completeCopy(client, copy, uploadId, parts);
  } catch (error) {
    // If it cannot be aborted either, the bucket's rule for unfinished uploads removes it.
    await abortMultipart(client, { bucket: copy.bucket, key: copy.to }, uploadId).catch(() => {});
    throw error;
  }
}

/** Begins a copy that several calls of `goOnCopying` make. @returns the id of its upload */
export async function beginCopy(client: S3Client, copy: CopyRequest): Promise<string> {
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({
      Bucket: copy.bucket,
      Key: copy.to,
      ContentType: copy.contentType,
      CacheControl: copy.cacheControl,
      ChecksumAlgorithm: 'CRC64NVME',
      ChecksumType: 'FULL_OBJECT',
    }),
  );
  if (!UploadId) throw new Error(`S3 gave no upload id for ${copy.to}`);
  return UploadId;
}

/**
 * Copies the parts that S3 does not have yet, one at least, until `stop`; the last of them completes the copy.
 * @returns how many are there of all; `gone`: S3 has no such upload, which was completed, aborted, or has expired
 */
export async function goOnCopying(
  client: S3Client,
  copy: CopyRequest,
  { uploadId, stop, partSize = PART_SIZE }: { uploadId: string; stop: () => boolean; partSize?: number | undefined },
): Promise<'copied' | 'gone' | { parts: number; of: number }> {
  const listed = await listParts(client, { bucket: copy.bucket, key: copy.to }, uploadId);
  if (listed === null) return 'gone';
  const parts = listed.map(({ partNumber, etag, crc64nvme }) => ({ number: partNumber, etag, crc64nvme }));
  const of = Math.ceil(copy.size / partSize);
  let begun = 0;
  await copyMissing(client, { ...copy, uploadId, partSize }, parts, () => begun++ > 0 && stop());
  if (parts.length < of) return { parts: parts.length, of };
  await completeCopy(client, copy, uploadId, parts);
  return 'copied';
}

interface CopiedPart {
  number: number;
  etag: string | undefined;
  crc64nvme: string | undefined;
}

/** Adds each part to `parts` when it is copied. */
async function copyMissing(
  client: S3Client,
  { uploadId, partSize, ...copy }: CopyRequest & { uploadId: string; partSize: number },
  parts: CopiedPart[],
  stop?: () => boolean,
): Promise<void> {
  const known = new Set(parts.map(({ number }) => number));
  const numbers = Array.from({ length: Math.ceil(copy.size / partSize) }, (_, i) => i + 1);
  const missing = numbers.filter((number) => !known.has(number));
  const copyPart = async (number: number) => {
    const start = (number - 1) * partSize;
    const end = Math.min(start + partSize, copy.size) - 1;
    const { CopyPartResult } = await client.send(
      new UploadPartCopyCommand({
        ...{ Bucket: copy.bucket, Key: copy.to, UploadId: uploadId, PartNumber: number },
        ...{ CopySource: sourceOf(copy), CopySourceRange: `bytes=${start}-${end}`, CopySourceIfMatch: copy.etag },
      }),
    );
    parts.push({ number, etag: CopyPartResult?.ETag, crc64nvme: CopyPartResult?.ChecksumCRC64NVME });
  };
  await eachLimit(missing, PARTS_AT_ONCE, copyPart, stop);
}

async function completeCopy(
  client: S3Client,
  { bucket, to }: CopyRequest,
  UploadId: string,
  parts: CopiedPart[],
): Promise<string | undefined> {
  const Parts = parts
    .toSorted((a, b) => a.number - b.number)
    .map(({ number, etag, crc64nvme }) => ({ PartNumber: number, ETag: etag, ChecksumCRC64NVME: crc64nvme }));
  const { ChecksumCRC64NVME } = await client.send(
    new CompleteMultipartUploadCommand({
      ...{ Bucket: bucket, Key: to, UploadId, ChecksumType: 'FULL_OBJECT', MultipartUpload: { Parts } },
    }),
  );
  return ChecksumCRC64NVME;
}

/** URL-encoded, except the slashes. */
function sourceOf(copy: Pick<CopyRequest, 'bucket' | 'fromBucket' | 'from'>): string {
  return `${copy.fromBucket ?? copy.bucket}/${copy.from.split('/').map(encodeURIComponent).join('/')}`;
}
