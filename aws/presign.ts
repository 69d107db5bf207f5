import { GetObjectCommand, PutObjectCommand, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { getSignedUrl, S3RequestPresigner } from '@aws-sdk/s3-request-presigner';

/** Seconds. A Lambda's credentials may expire earlier, and the URL with them; clients then request new URLs. */
export const URL_LIFETIME = 3600;

/** Seconds, for a request that is made at once; a session of a role must last longer. */
export const REQUEST_LIFETIME = 900;

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

export interface RequestToSign {
  method: string;
  /** `/bucket/key`, encoded as in a URL. */
  path: string;
  query: Readonly<Record<string, string>>;
  /** In lower case. Whoever sends the request has to send exactly these. */
  headers: Readonly<Record<string, string>>;
}

/**
 * The address of any one request, with its headers signed. S3 refuses one with an `x-amz-` header that is not.
 * @param s3 made with `forcePathStyle`
 */
export async function presignRequest(
  s3: S3Client,
  { method, path, query, headers }: RequestToSign,
): Promise<{ url: string; expiresAt: string }> {
  // The service's address, as the client finds it.
  const { origin } = new URL(await getSignedUrl(s3, new GetObjectCommand({ Bucket: 'bucket', Key: 'key' })));
  const { protocol, hostname, port } = new URL(origin);
  const names = Object.keys(headers);
  const signed = await new S3RequestPresigner({ ...s3.config }).presign(
    {
      method,
      protocol,
      hostname,
      ...(port && { port: Number(port) }),
      path,
      query: { ...query },
      headers: { ...headers },
    },
    {
      expiresIn: REQUEST_LIFETIME,
      unhoistableHeaders: new Set(names),
      signableHeaders: new Set(['host', ...names]),
    },
  );
  const parameters = Object.entries(signed.query ?? {}).map(
    ([name, value]) => `${encode(name)}=${encode(String(value))}`,
  );
  const expiresAt = new Date(Date.now() + REQUEST_LIFETIME * 1000).toISOString();
  return { url: `${origin}${path}?${parameters.join('&')}`, expiresAt };
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`);
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
