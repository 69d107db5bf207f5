import { checksumHeader } from '../../gateway/checksums.ts';
import { AwsError, type ServiceResponse } from '../../kernel/service.ts';
import type { S3Call } from './call.ts';
import { createdEvent } from './events.ts';
import { findVersion, readCopySource } from './find.ts';
import { refuseUnserved, requestedChecksum, storedHeaders, userMetadata } from './headers.ts';
import { type Checksum, invalidArgument, LIMITS, type ObjectVersion, preconditionFailed, xmlTime } from './model.ts';
import { checkReadConditions, checkWriteConditions } from './preconditions.ts';
import { classHeader, refuseArchived, storageClassOf, withoutClass } from './storage-class.ts';
import { xmlResponse } from './xml.ts';

/** The version that a copy reads, its permission and conditions checked. */
export function findCopySource(call: S3Call): { source: ObjectVersion; bucket: string; versionId: string | null } {
  const named = readCopySource(call.request.headers['x-amz-copy-source'] ?? '');
  const source = findVersion(call, named);
  if (checkReadConditions(call.request.headers, source, 'x-amz-copy-source-if-')) {
    throw preconditionFailed('x-amz-copy-source-If-None-Match');
  }
  refuseArchived(source, call.now);
  return { source, bucket: named.bucket, versionId: named.versionId };
}

/** A copy shares the source's files, which never change. */
export async function copyObject(call: S3Call): Promise<ServiceResponse> {
  const { request, store, bucket, key } = call;
  call.authorize('s3:PutObject', key);
  refuseUnserved(request.headers);
  const { source, bucket: sourceBucket, versionId } = findCopySource(call);
  if (source.size > LIMITS.copyBytes) {
    throw new AwsError(
      'InvalidRequest',
      400,
      `The specified copy source is larger than the maximum allowable size for a copy source: ${LIMITS.copyBytes}`,
    );
  }
  const directive = (request.headers['x-amz-metadata-directive'] ?? 'COPY').toUpperCase();
  if (directive !== 'COPY' && directive !== 'REPLACE') throw invalidArgument('Unknown metadata directive.');
  const moves = Object.keys(classHeader(request.headers)).length > 0 || storageClassOf(source) !== 'STANDARD';
  if (sourceBucket === bucket && source.key === key && directive === 'COPY' && versionId === null && !moves) {
    throw new AwsError(
      'InvalidRequest',
      400,
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  const requested = requestedChecksum(request.headers)?.algorithm;
  // Held because the source and its files may be removed while they are digested.
  const { version, checksum } = await store.holding(source, async () => {
    const { etag, checksum } = await digestsOf(call, source, requested);
    const version: ObjectVersion = {
      key,
      versionId: store.newVersionId(bucket),
      size: source.size,
      etag,
      modified: call.now,
      headers:
        directive === 'REPLACE'
          ? storedHeaders(request.headers)
          : { ...withoutClass(source.headers), ...classHeader(request.headers) },
      metadata: directive === 'REPLACE' ? userMetadata(request.headers) : source.metadata,
      ...(source.tags && { tags: source.tags }),
      checksum,
      pieces: source.pieces,
      sequencer: store.nextSequencer(),
    };
    checkWriteConditions(request.headers, key, store.latest(bucket, key));
    await store.commit({
      type: 'put',
      bucket,
      version,
      event: createdEvent(store, { bucket, version, reason: 'CopyObject', by: call }),
    });
    return { version, checksum };
  });
  const { versioned } = store.bucket(bucket).configuration;
  return xmlResponse(
    'CopyObjectResult',
    {
      LastModified: xmlTime(version.modified),
      ETag: `"${version.etag}"`,
      ChecksumType: checksum.type,
      [`Checksum${checksum.algorithm}`]: checksum.value,
    },
    {
      'x-amz-server-side-encryption': 'AES256',
      [checksumHeader(checksum.algorithm)]: checksum.value,
      ...(versioned && { 'x-amz-version-id': version.versionId }),
      ...(store.bucket(sourceBucket).configuration.versioned && { 'x-amz-copy-source-version-id': source.versionId }),
    },
  );
}

/** A copy is a single-part object: its ETag is an MD5, its checksum is of the full object. */
async function digestsOf(call: S3Call, source: ObjectVersion, requested: Checksum['algorithm'] | undefined) {
  const whole = source.checksum?.type === 'FULL_OBJECT' ? source.checksum : undefined;
  const algorithm = requested ?? whole?.algorithm ?? 'CRC64NVME';
  if (!source.etag.includes('-') && whole?.algorithm === algorithm) return { etag: source.etag, checksum: whole };
  const { md5, checksum } = await call.store.bodies.digest(source.pieces, algorithm);
  return { etag: md5, checksum: { algorithm, type: 'FULL_OBJECT' as const, value: checksum } };
}
