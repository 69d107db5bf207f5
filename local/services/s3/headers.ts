import {
  CHECKSUM_ALGORITHMS,
  CHECKSUM_LENGTH,
  type ChecksumAlgorithm,
  checksumHeader,
  isChecksumAlgorithm,
} from '../../gateway/checksums.ts';
import { AwsError, type ServiceRequest } from '../../kernel/service.ts';
import { invalidArgument, type ObjectVersion } from './model.ts';
import { classHeader } from './storage-class.ts';

type Headers = ServiceRequest['headers'];

/** Headers that are stored with an object and sent back with it. */
const STORED = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
] as const;
const META = 'x-amz-meta-';
/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html */
const MAX_METADATA_BYTES = 2048;

export function storedHeaders(headers: Headers): Record<string, string> {
  const stored: Record<string, string> = { 'content-type': 'binary/octet-stream' };
  for (const name of STORED) {
    const value = headers[name];
    if (value === undefined) continue;
    // aws-chunked belongs to the transfer, not to the object.
    const kept = name === 'content-encoding' ? withoutChunked(value) : value;
    if (kept !== '') stored[name] = kept;
  }
  return { ...stored, ...classHeader(headers) };
}

const withoutChunked = (value: string) =>
  value
    .split(',')
    .map((it) => it.trim())
    .filter((it) => it !== 'aws-chunked' && it !== '')
    .join(',');

export function userMetadata(headers: Headers): Record<string, string> {
  const entries = Object.entries(headers)
    .filter(([name]) => name.startsWith(META))
    .map(([name, value]) => [name.slice(META.length), value] as const);
  const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
  if (bytes > MAX_METADATA_BYTES) {
    throw new AwsError('MetadataTooLarge', 400, 'Your metadata headers exceed the maximum allowed metadata size');
  }
  return Object.fromEntries(entries);
}

/** A request's checksum: the algorithm, and the value if it is in a header. */
export function requestedChecksum(headers: Headers): { algorithm: ChecksumAlgorithm; value?: string } | undefined {
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const value = headers[checksumHeader(algorithm)];
    if (value === undefined) continue;
    const length = Buffer.from(value.split('-')[0] ?? '', 'base64').length;
    if (length !== CHECKSUM_LENGTH[algorithm]) {
      throw new AwsError('InvalidRequest', 400, `Value for ${checksumHeader(algorithm)} header is invalid.`);
    }
    return { algorithm, value };
  }
  const named = (headers['x-amz-sdk-checksum-algorithm'] ?? headers['x-amz-checksum-algorithm'] ?? '').toUpperCase();
  const trailer = CHECKSUM_ALGORITHMS.find((algorithm) => headers['x-amz-trailer'] === checksumHeader(algorithm));
  if (trailer) return { algorithm: trailer };
  if (named === '') return undefined;
  if (!isChecksumAlgorithm(named)) throw invalidArgument('Checksum algorithm provided is unsupported.');
  return { algorithm: named };
}

/** S3 requires the length of the body. */
export function requireLength(headers: Headers): void {
  if (headers['content-length'] === undefined) {
    throw new AwsError('MissingContentLength', 411, 'You must provide the Content-Length HTTP header.');
  }
}

/** Headers that the local S3 does not serve, refused instead of ignored. */
const UNSERVED = [
  'x-amz-tagging',
  'x-amz-website-redirect-location',
  'x-amz-write-offset-bytes',
  /^x-amz-object-lock-/,
  /^x-amz-grant-/,
  /^x-amz-server-side-encryption-/,
];

export function refuseUnserved(headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) {
    const unserved =
      UNSERVED.some((it) => (typeof it === 'string' ? it === name : it.test(name))) ||
      (name === 'x-amz-server-side-encryption' && value !== 'AES256') ||
      (name === 'x-amz-tagging-directive' && value.toUpperCase() !== 'COPY');
    if (unserved) {
      throw new AwsError('NotImplemented', 501, `The local S3 does not serve the header ${name}: ${value}`, {
        Header: name,
      });
    }
  }
  const acl = headers['x-amz-acl'] ?? 'private';
  // Like a bucket whose objects belong to its owner, which is the default today.
  if (acl !== 'private' && acl !== 'bucket-owner-full-control') {
    throw new AwsError('AccessControlListNotSupported', 400, 'The bucket does not allow ACLs');
  }
}

const quoted = (etag: string) => `"${etag}"`;

/** Headers of GetObject and HeadObject. */
export function describeVersion(version: ObjectVersion, versioned: boolean): Record<string, string> {
  const metadata = Object.entries(version.metadata).map(([name, value]) => [`${META}${name}`, value]);
  return {
    ...version.headers,
    ...Object.fromEntries(metadata),
    etag: quoted(version.etag),
    'last-modified': new Date(version.modified).toUTCString(),
    'accept-ranges': 'bytes',
    'x-amz-server-side-encryption': 'AES256',
    ...(versioned && { 'x-amz-version-id': version.versionId }),
  };
}

export function checksumHeaders(version: ObjectVersion): Record<string, string> {
  const { checksum } = version;
  return checksum ? { [checksumHeader(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type } : {};
}

/** Headers of responses to writes. */
export function writtenHeaders(version: ObjectVersion, versioned: boolean): Record<string, string> {
  return {
    etag: quoted(version.etag),
    'x-amz-server-side-encryption': 'AES256',
    ...checksumHeaders(version),
    ...(versioned && { 'x-amz-version-id': version.versionId }),
  };
}

/** One range of bytes, both ends included; undefined if the header has no supported range. */
export function readRange(header: string | undefined, size: number): { from: number; to: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const unsatisfiable = () =>
    new AwsError('InvalidRange', 416, 'The requested range is not satisfiable', {
      RangeRequested: header ?? '',
      ActualObjectSize: String(size),
    });
  if (match[1] === '') {
    const last = Number(match[2]);
    if (last === 0 || size === 0) throw unsatisfiable();
    return { from: Math.max(size - last, 0), to: size - 1 };
  }
  const from = Number(match[1]);
  const to = match[2] === '' ? size - 1 : Number(match[2]);
  if (to < from && match[2] !== '') return undefined;
  if (from >= size) throw unsatisfiable();
  return { from, to: Math.min(to, size - 1) };
}
