import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { eachLimit } from './concurrency.ts';
import { type NewObject, orConflict } from './s3.ts';

export interface CopyRequest {
  bucket: string;
  /** Absent: the same. */
  fromBucket?: string;
  from: string;
  to: string;
  size: number;
  contentType: string;
  cacheControl: string;
}

/** Largest object that one CopyObject copies. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html */
export const COPY_LIMIT = 5 * 1024 ** 3;
/** Up to 10 TiB in 10,000 parts. */
const PART_SIZE = 1024 ** 3;
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
  const target = { Bucket: copy.bucket, Key: copy.to };
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({
      ...target,
      ContentType: copy.contentType,
      CacheControl: copy.cacheControl,
      ChecksumAlgorithm: 'CRC64NVME',
      ChecksumType: 'FULL_OBJECT',
    }),
  );
  try {
    const numbers = Array.from({ length: Math.ceil(copy.size / partSize) }, (_, i) => i + 1);
    const parts: { PartNumber: number; ETag: string | undefined; ChecksumCRC64NVME: string | undefined }[] = [];
    await eachLimit(numbers, PARTS_AT_ONCE, async (PartNumber) => {
      const start = (PartNumber - 1) * partSize;
      const end = Math.min(start + partSize, copy.size) - 1;
      const CopySourceRange = `bytes=${start}-${end}`;
      const { CopyPartResult } = await client.send(
        new UploadPartCopyCommand({ ...target, UploadId, PartNumber, CopySource: sourceOf(copy), CopySourceRange }),
      );
      const { ETag, ChecksumCRC64NVME } = CopyPartResult ?? {};
      parts.push({ PartNumber, ETag, ChecksumCRC64NVME });
    });
    parts.sort((a, b) => a.PartNumber - b.PartNumber);
    const done = await client.send(
      new CompleteMultipartUploadCommand({
        ...target,
        UploadId,
        ChecksumType: 'FULL_OBJECT',
        MultipartUpload: { Parts: parts },
      }),
    );
    return done.ChecksumCRC64NVME;
  } catch (error) {
    // If it cannot be aborted either, the bucket's rule for unfinished uploads removes it.
    await client.send(new AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => {});
    throw error;
  }
}

/** URL-encoded, except the slashes. */
function sourceOf(copy: Pick<CopyRequest, 'bucket' | 'fromBucket' | 'from'>): string {
  return `${copy.fromBucket ?? copy.bucket}/${copy.from.split('/').map(encodeURIComponent).join('/')}`;
}
