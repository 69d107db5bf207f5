import { AwsError, type ServiceRequest } from '../../kernel/service.ts';
import { LIMITS } from './model.ts';
import type { Store } from './store.ts';

/** A request with its bucket and key parsed. */
export interface S3Call {
  request: ServiceRequest;
  store: Store;
  bucket: string;
  bucketArn: string;
  key: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** Checks a permission on the bucket, or on its object `key` if given. */
  authorize(action: string, key?: string, context?: Record<string, string>): void;
}

/** `/bucket/key…` decoded; a key may contain anything, including slashes and plus signs. */
export function splitPath(path: string): { bucket: string; key: string } {
  const end = path.indexOf('/', 1);
  const raw = end < 0 ? [path.slice(1), ''] : [path.slice(1, end), path.slice(end + 1)];
  let bucket: string;
  let key: string;
  try {
    [bucket = '', key = ''] = raw.map((part) => decodeURIComponent(part));
  } catch {
    throw new AwsError('InvalidURI', 400, "Couldn't parse the specified URI.");
  }
  if (Buffer.byteLength(key) > LIMITS.keyBytes) {
    throw new AwsError('KeyTooLongError', 400, 'Your key is too long', { MaxSizeAllowed: String(LIMITS.keyBytes) });
  }
  return { bucket, key };
}

export function openCall(request: ServiceRequest, store: Store, now: number): S3Call {
  const { bucket, key } = splitPath(request.path);
  const { configuration } = store.bucket(bucket);
  const authorize = (action: string, target?: string, context?: Record<string, string>) =>
    request.authorize({
      action,
      resource: target === undefined ? configuration.arn : `${configuration.arn}/${target}`,
      resourcePolicy: configuration.policy,
      context: { ...versionOf(request, target), ...context },
    });
  return {
    request,
    store,
    bucket,
    bucketArn: configuration.arn,
    key,
    now,
    authorize,
  };
}

/** s3:VersionId is a condition key of requests that name a version of an object. */
function versionOf({ query }: ServiceRequest, key: string | undefined): Record<string, string> {
  const versionId = key === undefined ? null : query.get('versionId');
  return versionId === null ? {} : { 's3:VersionId': versionId };
}

/** Reads a small XML body. */
export async function readText(request: ServiceRequest, limit = 4 * 2 ** 20): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new AwsError('MaxMessageLengthExceeded', 400, 'Your request was too large.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
