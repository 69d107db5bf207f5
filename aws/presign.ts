import { PutObjectCommand, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

/** Seconds. A Lambda's credentials may end earlier, and the URL with them; clients ask for fresh ones then. */
export const URL_LIFETIME = 3600;

/**
 * A URL for one PUT of exactly `size` bytes of this type: both headers are signed, so S3 refuses any other.
 * The client must be made with `requestChecksumCalculation: 'WHEN_REQUIRED'`, or the checksum of an empty body is signed.
 */
export function presignPut(
  s3: S3Client,
  { bucket, key, size, contentType }: { bucket: string; key: string; size: number; contentType: string },
): Promise<string> {
  const command = new PutObjectCommand({ Bucket: bucket, Key: key, ContentLength: size, ContentType: contentType });
  return getSignedUrl(s3, command, {
    expiresIn: URL_LIFETIME,
    signableHeaders: new Set(['host', 'content-length', 'content-type']),
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
