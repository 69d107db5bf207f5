import type { ChecksumAlgorithm } from '../../gateway/checksums.ts';
import { AwsError } from '../../kernel/service.ts';

export interface BucketConfiguration {
  name: string;
  arn: string;
  versioned: boolean;
  /** Whether its events go to EventBridge. */
  eventBridge: boolean;
  /** The bucket's policy: a policy document. */
  policy?: unknown;
  lifecycle: LifecycleRule[];
  cors: CorsRule[];
}

/** A rule applies to objects that have all its tags and are larger than `largerThan` bytes, if it names them. */
export interface LifecycleRule {
  id?: string | undefined;
  prefix: string;
  tags?: Readonly<Record<string, string>> | undefined;
  largerThan?: number | undefined;
  expirationDays?: number | undefined;
  abortUploadDays?: number | undefined;
  noncurrentDays?: number | undefined;
  transitions?: readonly { storageClass: string; days: number }[] | undefined;
}

export interface CorsRule {
  origins: string[];
  methods: string[];
  headers: string[];
  exposed: string[];
  maxAge?: number | undefined;
}

export interface Checksum {
  algorithm: ChecksumAlgorithm;
  type: 'FULL_OBJECT' | 'COMPOSITE';
  /** Base64; a composite checksum ends in `-{parts}`. */
  value: string;
}

/** A file with bytes of an object. It never changes, and may belong to several objects. */
export interface Piece {
  file: string;
  size: number;
}

/** A restore of an archived version, in milliseconds since the epoch. Nothing of it is left once the copy has expired. */
export interface Restore {
  tier: 'Expedited' | 'Standard' | 'Bulk';
  days: number;
  /** When the copy can be read. */
  readyAt: number;
  expiresAt: number;
  /** Whether the event of its completion is on its way. */
  told?: true;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html */
export interface Retention {
  mode: 'GOVERNANCE' | 'COMPLIANCE';
  until: number;
}

/** One version of an object, or a delete marker. */
export interface ObjectVersion {
  key: string;
  /** `null` in a bucket without versions. */
  versionId: string;
  deleteMarker?: true;
  size: number;
  /** Without quotes. */
  etag: string;
  /**
   * Milliseconds since the epoch; S3's answers have whole seconds. Of a multipart upload, when it was initiated:
   * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
   */
  modified: number;
  /** Stored response headers such as Content-Type; names in lower case. */
  headers: Record<string, string>;
  /** `x-amz-meta-…`, without that prefix. */
  metadata: Record<string, string>;
  checksum?: Checksum;
  tags?: Readonly<Record<string, string>>;
  restore?: Restore;
  retention?: Retention;
  legalHold?: true;
  pieces: Piece[];
  sequencer: string;
  /** The multipart upload that created the version. */
  uploadId?: string;
}

export interface Part {
  number: number;
  size: number;
  etag: string;
  modified: number;
  checksum: { algorithm: ChecksumAlgorithm; value: string };
  piece: Piece;
}

export interface MultipartUpload {
  uploadId: string;
  key: string;
  initiated: number;
  headers: Record<string, string>;
  metadata: Record<string, string>;
  /** `requested`: the client chose it; otherwise it is S3's default. */
  checksum: { algorithm: ChecksumAlgorithm; type: 'FULL_OBJECT' | 'COMPOSITE'; requested: boolean };
}

/** A time in the format of S3's XML: ISO 8601, whole seconds, `.000Z`. */
export const xmlTime = (ms: number) => new Date(Math.floor(ms / 1000) * 1000).toISOString();

/** An error with response headers. */
export class S3Error extends AwsError {
  readonly headers: Readonly<Record<string, string>>;

  constructor(error: AwsError, headers: Record<string, string>) {
    super(error.code, error.status, error.message, error.extra);
    this.headers = headers;
  }
}

/** Limits of S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const LIMITS = {
  keyBytes: 1024,
  putBytes: 5 * 2 ** 30,
  copyBytes: 5 * 2 ** 30,
  partBytes: 5 * 2 ** 30,
  smallestPart: 5 * 2 ** 20,
  parts: 10_000,
  listed: 1000,
} as const;

export const noSuchKey = (key: string) =>
  new AwsError('NoSuchKey', 404, 'The specified key does not exist.', { Key: key });

export const noSuchUpload = (uploadId: string) =>
  new AwsError(
    'NoSuchUpload',
    404,
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { UploadId: uploadId },
  );

export const preconditionFailed = (condition: string) =>
  new AwsError('PreconditionFailed', 412, 'At least one of the pre-conditions you specified did not hold', {
    Condition: condition,
  });

export const invalidArgument = (message: string, extra: Record<string, string> = {}) =>
  new AwsError('InvalidArgument', 400, message, extra);
