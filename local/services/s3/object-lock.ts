import { AwsError, type ServiceResponse } from '../../kernel/service.ts';
import { readText, type S3Call } from './call.ts';
import { findNamed } from './find.ts';
import { invalidArgument, type ObjectVersion, type Retention } from './model.ts';
import { xmlResponse } from './xml.ts';
import { readXml, textOf, type XmlNode } from './xml-read.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html; no default retention is served. */

const BYPASS = 'x-amz-bypass-governance-retention';

const locked = () => new AwsError('AccessDenied', 403, 'Access Denied because object protected by object lock.');

/**
 * @throws AwsError AccessDenied when a lock protects the version. Only a retention of mode GOVERNANCE can be passed over, by a request that
 * says so and has the permission.
 */
export function refuseLocked(call: Pick<S3Call, 'request' | 'authorize' | 'now'>, version: ObjectVersion): void {
  if (!isLocked(version, call.now)) return;
  if (version.legalHold || version.retention?.mode === 'COMPLIANCE') throw locked();
  if (call.request.headers[BYPASS]?.toLowerCase() !== 'true') throw locked();
  call.authorize('s3:BypassGovernanceRetention', version.key);
}

export function isLocked({ legalHold, retention }: ObjectVersion, now: number): boolean {
  return legalHold === true || (retention !== undefined && retention.until > now);
}

/** Buckets with versions only. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLockConfiguration.html */
export async function putObjectLockConfiguration(call: S3Call): Promise<ServiceResponse> {
  call.authorize('s3:PutBucketObjectLockConfiguration');
  const asked = readXml(await readText(call.request), 'ObjectLockConfiguration');
  if (asked.Rule) throw new AwsError('NotImplemented', 501, 'The local S3 serves no default retention.');
  if (!call.store.bucket(call.bucket).configuration.versioned) {
    throw new AwsError(
      'InvalidBucketState',
      409,
      "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration",
    );
  }
  await call.store.commit({ type: 'lock', bucket: call.bucket });
  return { status: 200 };
}

export async function putObjectLegalHold(call: S3Call): Promise<ServiceResponse> {
  call.authorize('s3:PutObjectLegalHold', call.key);
  requireLock(call);
  const status = textOf(await read(call, 'LegalHold'), 'Status');
  if (status !== 'ON' && status !== 'OFF') throw invalidArgument('Unknown status of a legal hold.');
  const { legalHold: _, ...version } = findNamed(call);
  await commit(call, status === 'ON' ? { ...version, legalHold: true } : version);
  return { status: 200 };
}

export async function getObjectLegalHold(call: S3Call): Promise<ServiceResponse> {
  call.authorize('s3:GetObjectLegalHold', call.key);
  requireLock(call);
  return xmlResponse('LegalHold', { Status: findNamed(call).legalHold ? 'ON' : 'OFF' });
}

export async function putObjectRetention(call: S3Call): Promise<ServiceResponse> {
  call.authorize('s3:PutObjectRetention', call.key);
  requireLock(call);
  const asked = await read(call, 'Retention');
  const until = Date.parse(textOf(asked, 'RetainUntilDate') ?? '');
  const mode = textOf(asked, 'Mode');
  if (!(until > call.now)) throw invalidArgument('The retain until date must be in the future!');
  if (mode !== 'GOVERNANCE' && mode !== 'COMPLIANCE') throw invalidArgument('Unknown mode of a retention.');
  const { legalHold, ...version } = findNamed(call);
  const retention: Retention = { mode, until };
  const { retention: before } = version;
  const weaker = before && (until < before.until || (before.mode === 'COMPLIANCE' && mode !== 'COMPLIANCE'));
  if (weaker) refuseLocked(call, version);
  await commit(call, { ...version, retention, ...(legalHold && { legalHold }) });
  return { status: 200 };
}

export async function getObjectRetention(call: S3Call): Promise<ServiceResponse> {
  call.authorize('s3:GetObjectRetention', call.key);
  requireLock(call);
  const { retention } = findNamed(call);
  if (!retention) {
    throw new AwsError(
      'NoSuchObjectLockConfiguration',
      404,
      'The specified object does not have a ObjectLock configuration',
    );
  }
  const RetainUntilDate = new Date(retention.until).toISOString();
  return xmlResponse('Retention', { Mode: retention.mode, RetainUntilDate });
}

function requireLock(call: S3Call): void {
  if (call.store.bucket(call.bucket).locks) return;
  throw new AwsError('InvalidRequest', 400, 'Bucket is missing Object Lock Configuration');
}

async function read(call: S3Call, root: string): Promise<XmlNode> {
  return readXml(await readText(call.request), root);
}

async function commit({ store, bucket }: S3Call, version: ObjectVersion): Promise<void> {
  await store.commit({ type: 'change', bucket, version });
}
