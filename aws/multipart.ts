import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  paginateListParts,
  type S3Client,
} from '@aws-sdk/client-s3';

/** Uploads in parts: by clients with presigned URLs, and long copies. An upload that S3 no longer has was completed or aborted, or has expired. */

export interface ReceivedPart {
  partNumber: number;
  size: number;
  etag: string;
  /** Base64; of an upload that was begun with this algorithm. */
  crc64nvme?: string;
}

interface Target {
  bucket: string;
  key: string;
}

export async function createMultipart(s3: S3Client, { bucket, key }: Target, contentType: string): Promise<string> {
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({ Bucket: bucket, Key: key, ContentType: contentType }),
  );
  if (!UploadId) throw new Error(`S3 gave no upload id for ${key}`);
  return UploadId;
}

/** Null when S3 has no such upload. */
export async function listParts(
  s3: S3Client,
  { bucket, key }: Target,
  uploadId: string,
): Promise<ReceivedPart[] | null> {
  const parts: ReceivedPart[] = [];
  try {
    for await (const page of paginateListParts({ client: s3 }, { Bucket: bucket, Key: key, UploadId: uploadId })) {
      for (const { PartNumber = 0, Size = 0, ETag = '', ChecksumCRC64NVME: crc64nvme } of page.Parts ?? []) {
        parts.push({ partNumber: PartNumber, size: Size, etag: ETag, ...(crc64nvme && { crc64nvme }) });
      }
    }
    return parts;
  } catch (error) {
    if (isNoSuchUpload(error)) return null;
    throw error;
  }
}

/** `over` when S3 has no such upload, or an object exists already: it was completed before. */
export async function completeMultipart(
  s3: S3Client,
  { bucket, key }: Target,
  uploadId: string,
  parts: readonly ReceivedPart[],
): Promise<'completed' | 'over'> {
  try {
    await s3.send(
      new CompleteMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        IfNoneMatch: '*',
        MultipartUpload: { Parts: parts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag })) },
      }),
    );
    return 'completed';
  } catch (error) {
    if (isNoSuchUpload(error) || isNamed(error, 'PreconditionFailed')) return 'over';
    throw error;
  }
}

export async function abortMultipart(s3: S3Client, { bucket, key }: Target, uploadId: string): Promise<void> {
  try {
    await s3.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId }));
  } catch (error) {
    if (!isNoSuchUpload(error)) throw error;
  }
}

function isNoSuchUpload(error: unknown): boolean {
  return isNamed(error, 'NoSuchUpload');
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name;
}
