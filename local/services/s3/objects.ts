import { AwsError, type ServiceResponse } from '../../kernel/service.ts';
import type { S3Call } from './call.ts';
import { createdEvent, deletedEvent } from './events.ts';
import { checkVersionId, findVersion } from './find.ts';
import {
  checksumHeaders,
  describeVersion,
  readRange,
  refuseUnserved,
  requestedChecksum,
  requireLength,
  storedHeaders,
  userMetadata,
  writtenHeaders,
} from './headers.ts';
import { invalidArgument, LIMITS, type ObjectVersion } from './model.ts';
import { refuseLocked } from './object-lock.ts';
import { checkReadConditions, checkWriteConditions } from './preconditions.ts';
import { restoreHeader } from './restore.ts';
import { refuseArchived } from './storage-class.ts';

/** Query parameters that replace response headers of GetObject. */
const OVERRIDES = [
  'content-type',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
];

/** Valid HTTP header values: no line ends, nothing above Latin-1. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

export async function getObject(call: S3Call): Promise<ServiceResponse> {
  const { request, store, bucket, key } = call;
  const version = findVersion(call, { bucket, key, versionId: request.query.get('versionId') });
  const { versioned } = store.bucket(bucket).configuration;
  const headers = { ...describeVersion(version, versioned), ...restoreHeader(version, call.now) };
  if (checkReadConditions(request.headers, version)) return { status: 304, headers };
  for (const name of OVERRIDES) {
    const value = request.query.get(`response-${name}`);
    if (value === null) continue;
    if (request.principal.type === 'anonymous') {
      throw new AwsError(
        'InvalidRequest',
        400,
        'Request specific response headers cannot be used for anonymous GET requests.',
      );
    }
    if (!HEADER_VALUE.test(value)) throw invalidArgument(`response-${name} cannot be a header`);
    headers[name] = value;
  }
  if (request.method !== 'HEAD') refuseArchived(version, call.now);
  const range = readRange(request.headers.range, version.size);
  if (request.headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED' && !range) {
    Object.assign(headers, checksumHeaders(version));
  }
  const { from, to } = range ?? { from: 0, to: version.size - 1 };
  headers['content-length'] = String(to - from + 1);
  if (range) headers['content-range'] = `bytes ${from}-${to}/${version.size}`;
  const status = range ? 206 : 200;
  return request.method === 'HEAD' ? { status, headers } : { status, headers, body: store.read(version, from, to) };
}

export async function putObject(call: S3Call): Promise<ServiceResponse> {
  const { request, store, bucket, key } = call;
  call.authorize('s3:PutObject', key);
  refuseUnserved(request.headers);
  checkWriteConditions(request.headers, key, store.latest(bucket, key));
  requireLength(request.headers);
  const requested = requestedChecksum(request.headers);
  const algorithm = requested?.algorithm ?? 'CRC64NVME';
  const metadata = userMetadata(request.headers);
  const written = await store.bodies.write(request.body, algorithm, LIMITS.putBytes);
  if (requested?.value !== undefined && requested.value !== written.checksum) {
    await store.bodies.remove(written.piece.file);
    throw new AwsError('BadDigest', 400, `The ${algorithm} you specified did not match the calculated checksum.`);
  }
  const version: ObjectVersion = {
    key,
    versionId: store.newVersionId(bucket),
    size: written.piece.size,
    etag: written.md5,
    modified: call.now,
    headers: storedHeaders(request.headers),
    metadata,
    checksum: { algorithm, type: 'FULL_OBJECT', value: written.checksum },
    pieces: [written.piece],
    sequencer: store.nextSequencer(),
  };
  try {
    // There is no await between this check and the commit, so concurrent writers cannot both pass.
    checkWriteConditions(request.headers, key, store.latest(bucket, key));
  } catch (error) {
    await store.bodies.remove(written.piece.file);
    throw error;
  }
  await store.commit({
    type: 'put',
    bucket,
    version,
    event: createdEvent(store, { bucket, version, reason: 'PutObject', by: call }),
  });
  return { status: 200, headers: writtenHeaders(version, store.bucket(bucket).configuration.versioned) };
}

export async function deleteObject(call: S3Call): Promise<ServiceResponse> {
  const versionId = call.request.query.get('versionId');
  call.authorize(versionId === null ? 's3:DeleteObject' : 's3:DeleteObjectVersion', call.key);
  if (versionId !== null) checkVersionId(versionId);
  const latest = call.store.latest(call.bucket, call.key);
  if (versionId === null && call.request.headers['if-match'] !== undefined) {
    checkWriteConditions(call.request.headers, call.key, latest);
  }
  const removed = await removeObject(call, call.key, versionId);
  return {
    status: 204,
    headers: {
      ...(removed.versionId && { 'x-amz-version-id': removed.versionId }),
      ...(removed.deleteMarker && { 'x-amz-delete-marker': 'true' }),
    },
  };
}

/** Deletes permanently if a version is named or the bucket is not versioned, else adds a delete marker. */
export async function removeObject(
  call: Pick<S3Call, 'store' | 'bucket' | 'now' | 'request' | 'authorize'>,
  key: string,
  versionId: string | null,
): Promise<{ versionId?: string; deleteMarker?: boolean }> {
  const { store, bucket } = call;
  const { versioned } = store.bucket(bucket).configuration;
  if (versionId === null && versioned) {
    const marker = markerOf(call, key);
    const event = deletedEvent(store, {
      bucket,
      version: marker,
      deletion: 'Delete Marker Created',
      reason: 'DeleteObject',
      by: call,
    });
    await store.commit({ type: 'put', bucket, version: marker, event });
    return { versionId: marker.versionId, deleteMarker: true };
  }
  const version = versionId === null ? store.latest(bucket, key) : store.version(bucket, key, versionId);
  if (version) {
    refuseLocked(call, version);
    const gone = { ...version, modified: call.now, sequencer: store.nextSequencer() };
    const event = deletedEvent(store, {
      bucket,
      version: gone,
      deletion: 'Permanently Deleted',
      reason: 'DeleteObject',
      by: call,
    });
    await store.commit({ type: 'remove', bucket, key, versionId: version.versionId, event });
  }
  return {
    ...(versionId !== null && { versionId }),
    ...(version?.deleteMarker && { deleteMarker: true }),
  };
}

export function markerOf(call: Pick<S3Call, 'store' | 'bucket' | 'now'>, key: string): ObjectVersion {
  return {
    key,
    versionId: call.store.newVersionId(call.bucket),
    deleteMarker: true,
    size: 0,
    etag: '',
    modified: call.now,
    headers: {},
    metadata: {},
    pieces: [],
    sequencer: call.store.nextSequencer(),
  };
}
