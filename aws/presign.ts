import { PutObjectCommand, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

/** Seconds. A Lambda's credentials may expire earlier, and the URL with them; clients then request new URLs. */
export const URL_LIFETIME = 3600;

/** Header of a presigned PUT besides its type: it writes only where no object exists. S3 answers 412 once the object is there. */
export const ONLY_ONCE = { 'If-None-Match': '*' } as const;

/**
 * A URL for one PUT of exactly `size` bytes of this type where no object exists: the three headers are signed, so S3 refuses any
 * other, and a second use cannot replace what the first one wrote.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 * The client must be created with `requestChecksumCalculation: 'WHEN_REQUIRED'`, or the checksum of an empty body is signed.
 */
export function presignPut(
  s3: S3Client,
  { bucket, key, size, contentType }: { bucket: string; key: string; size: number; contentType: string },
): Promise<string> {
  const command = new PutObjectCommand({
    Bucket: bucket,
    Key: key,
    ContentLength: size,
    ContentType: contentType,
    IfNoneMatch: ONLY_ONCE['If-None-Match'],
  });
  return getSignedUrl(s3, command, {
    expiresIn: URL_LIFETIME,
    signableHeaders: new Set(['host', 'content-length', 'content-type', 'if-none-match']),
  });
}

/** A URL for one part of exactly `size` bytes. */
export function presignPart(
  s3: S3Client,
  part: { bucket: string; key: string; uploadId: string; partNumber: number; size: number },
): Promise<string> {
  const command = new UploadPartCommand({
    Bucket: part.bucket,
    Key: part.key,
    UploadId: part.uploadId,
    PartNumber: part.partNumber,
    ContentLength: part.size,
  });
  return getSignedUrl(s3, command, { expiresIn: URL_LIFETIME, signableHeaders: new Set(['host', 'content-length']) });
}
