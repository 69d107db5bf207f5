import { AwsError } from '../../kernel/service.ts';
import type { S3Call } from './call.ts';
import { invalidArgument, noSuchKey, type ObjectVersion, S3Error } from './model.ts';

/**
 * The version that a read names, after the permission check. A missing key is 404 to callers that may list the bucket,
 * and 403 to others. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export function findVersion(
  call: S3Call,
  source: { bucket: string; key: string; versionId: string | null },
): ObjectVersion {
  const { bucket, key, versionId } = source;
  const { configuration } = call.store.bucket(bucket);
  const check = (action: string, resource: string, context?: Record<string, string>) =>
    call.request.authorize({ action, resource, resourcePolicy: configuration.policy, ...(context && { context }) });
  const object = `${configuration.arn}/${key}`;
  if (versionId === null) check('s3:GetObject', object);
  else check('s3:GetObjectVersion', object, { 's3:VersionId': versionId });
  if (versionId !== null) checkVersionId(versionId);
  const version = versionId === null ? call.store.latest(bucket, key) : call.store.version(bucket, key, versionId);
  if (!version || (version.deleteMarker && versionId === null)) {
    check('s3:ListBucket', configuration.arn);
    if (versionId !== null) throw noSuchVersion(key, versionId);
    throw version ? new S3Error(noSuchKey(key), markerHeaders(version)) : noSuchKey(key);
  }
  if (version.deleteMarker) throw methodNotAllowed(version);
  return version;
}

/** The version that a request about a subresource names, or the current one; the caller has checked the permission. */
export function findNamed(call: S3Call): ObjectVersion {
  const { bucket, key } = call;
  const versionId = call.request.query.get('versionId');
  if (versionId !== null) checkVersionId(versionId);
  const version = versionId === null ? call.store.latest(bucket, key) : call.store.version(bucket, key, versionId);
  if (versionId !== null && !version) throw noSuchVersion(key, versionId);
  if (!version || (version.deleteMarker && versionId === null)) throw noSuchKey(key);
  if (version.deleteMarker) throw methodNotAllowed(version);
  return version;
}

function noSuchVersion(key: string, versionId: string): AwsError {
  return new AwsError('NoSuchVersion', 404, 'The specified version does not exist.', {
    Key: key,
    VersionId: versionId,
  });
}

function methodNotAllowed(marker: ObjectVersion): AwsError {
  return new S3Error(
    new AwsError('MethodNotAllowed', 405, 'The specified method is not allowed against this resource.'),
    { ...markerHeaders(marker), allow: 'DELETE' },
  );
}

const markerHeaders = ({ versionId }: ObjectVersion) => ({
  'x-amz-delete-marker': 'true',
  'x-amz-version-id': versionId,
});

/** @throws AwsError InvalidArgument for an impossible version id */
export function checkVersionId(versionId: string): void {
  if (versionId === 'null' || /^[\w.-]{32}$/.test(versionId)) return;
  throw invalidArgument('Invalid version id specified', { ArgumentName: 'versionId', ArgumentValue: versionId });
}

/** `x-amz-copy-source`: `/bucket/key?versionId=…`, URL-encoded. */
export function readCopySource(header: string): { bucket: string; key: string; versionId: string | null } {
  const [path = '', query = ''] = header.replace(/^\//, '').split(/\?(?=versionId=[^?]*$)/);
  const [bucket = '', ...rest] = path.split('/');
  try {
    const key = decodeURIComponent(rest.join('/'));
    if (bucket === '' || key === '') throw new URIError();
    return { bucket: decodeURIComponent(bucket), key, versionId: new URLSearchParams(query).get('versionId') };
  } catch {
    throw new AwsError(
      'InvalidArgument',
      400,
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      {
        ArgumentName: 'x-amz-copy-source',
        ArgumentValue: header,
      },
    );
  }
}
