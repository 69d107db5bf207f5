import { randomBytes } from 'node:crypto';
import { checksumHeader, isChecksumAlgorithm } from '../../gateway/checksums.ts';
import { AwsError, type ServiceResponse } from '../../kernel/service.ts';
import type { S3Call } from './call.ts';
import { findCopySource } from './copy.ts';
import { readRange, refuseUnserved, requestedChecksum, requireLength, storedHeaders, userMetadata } from './headers.ts';
import { invalidArgument, LIMITS, type MultipartUpload, type Part, xmlTime } from './model.ts';
import { xmlResponse } from './xml.ts';

export const uploadIdOf = (call: S3Call) => call.request.query.get('uploadId') ?? '';

export async function createMultipartUpload(call: S3Call): Promise<ServiceResponse> {
  const { request, store, bucket, key } = call;
  call.authorize('s3:PutObject', key);
  refuseUnserved(request.headers);
  const checksum = checksumOf(request.headers);
  const upload: MultipartUpload = {
    uploadId: randomBytes(48).toString('base64url'),
    key,
    initiated: call.now,
    headers: storedHeaders(request.headers),
    metadata: userMetadata(request.headers),
    checksum,
  };
  await store.commit({ type: 'upload', bucket, upload });
  return xmlResponse(
    'InitiateMultipartUploadResult',
    { Bucket: bucket, Key: key, UploadId: upload.uploadId },
    checksum.requested ? { 'x-amz-checksum-algorithm': checksum.algorithm, 'x-amz-checksum-type': checksum.type } : {},
  );
}

type Headers = S3Call['request']['headers'];

/** Checksum types by algorithm: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html */
function checksumOf(headers: Headers): MultipartUpload['checksum'] {
  const requested = headers['x-amz-checksum-algorithm'] !== undefined;
  const algorithm = (headers['x-amz-checksum-algorithm'] ?? 'CRC64NVME').toUpperCase();
  if (!isChecksumAlgorithm(algorithm)) throw invalidArgument('Checksum algorithm provided is unsupported.');
  const standard = algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE';
  const type = (headers['x-amz-checksum-type'] ?? standard).toUpperCase();
  const fits =
    type === 'FULL_OBJECT' ? !algorithm.startsWith('SHA') : type === 'COMPOSITE' && algorithm !== 'CRC64NVME';
  if (!fits) {
    throw new AwsError(
      'InvalidRequest',
      400,
      `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
    );
  }
  return { algorithm, type: type === 'FULL_OBJECT' ? 'FULL_OBJECT' : 'COMPOSITE', requested };
}

function partNumberOf(call: S3Call): number {
  const number = Number(call.request.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > LIMITS.parts) {
    throw invalidArgument('Part number must be an integer between 1 and 10000, inclusive', {
      ArgumentName: 'partNumber',
    });
  }
  return number;
}

export async function uploadPart(call: S3Call): Promise<ServiceResponse> {
  const { request, store, bucket, key } = call;
  call.authorize('s3:PutObject', key);
  const upload = store.upload(bucket, key, uploadIdOf(call));
  const number = partNumberOf(call);
  requireLength(request.headers);
  checkPartChecksum(upload.checksum, request.headers);
  const { algorithm } = upload.checksum;
  const written = await store.bodies.write(request.body, algorithm, LIMITS.partBytes);
  const part: Part = {
    number,
    size: written.piece.size,
    etag: written.md5,
    modified: call.now,
    checksum: { algorithm, value: written.checksum },
    piece: written.piece,
  };
  await commitPart(call, part);
  return {
    status: 200,
    headers: { etag: `"${part.etag}"`, [checksumHeader(algorithm)]: part.checksum.value },
  };
}

/** An upload accepts only its initial algorithm; composite checksums need the client's checksum of each part. */
function checkPartChecksum({ algorithm, type, requested }: MultipartUpload['checksum'], headers: Headers): void {
  if (!requested) return;
  const given = requestedChecksum(headers)?.algorithm;
  if (given === algorithm || (given === undefined && type === 'FULL_OBJECT')) return;
  throw new AwsError(
    'InvalidRequest',
    400,
    `Checksum Type mismatch occurred, expected checksum Type: ${algorithm.toLowerCase()}, actual checksum Type: ${given?.toLowerCase() ?? 'null'}`,
  );
}

export async function uploadPartCopy(call: S3Call): Promise<ServiceResponse> {
  const { request, store, bucket, key } = call;
  call.authorize('s3:PutObject', key);
  const { algorithm } = store.upload(bucket, key, uploadIdOf(call)).checksum;
  const number = partNumberOf(call);
  const { source, bucket: sourceBucket } = findCopySource(call);
  const header = request.headers['x-amz-copy-source-range'];
  const range = header === undefined ? { from: 0, to: source.size - 1 } : readRange(header, source.size);
  if (!range || (header !== undefined && !header.endsWith(`-${range.to}`))) {
    throw invalidArgument(`Range specified is not valid for source object of size: ${source.size}`);
  }
  if (range.to - range.from + 1 > LIMITS.copyBytes) throw invalidArgument('The copied part is larger than 5 GiB.');
  const written = await store.bodies.write(store.read(source, range.from, range.to), algorithm, LIMITS.partBytes);
  const checksum = { algorithm, value: written.checksum };
  const part = {
    number,
    size: written.piece.size,
    etag: written.md5,
    modified: call.now,
    checksum,
    piece: written.piece,
  };
  await commitPart(call, part);
  return xmlResponse(
    'CopyPartResult',
    {
      LastModified: xmlTime(part.modified),
      ETag: `"${part.etag}"`,
      [`Checksum${algorithm}`]: checksum.value,
    },
    store.bucket(sourceBucket).configuration.versioned ? { 'x-amz-copy-source-version-id': source.versionId } : {},
  );
}

async function commitPart(call: S3Call, part: Part): Promise<void> {
  const { store, bucket, key } = call;
  const uploadId = uploadIdOf(call);
  try {
    store.upload(bucket, key, uploadId); // aborted or completed meanwhile?
  } catch (error) {
    await store.bodies.remove(part.piece.file);
    throw error;
  }
  await store.commit({ type: 'part', bucket, uploadId, part });
}

export async function abortMultipartUpload(call: S3Call): Promise<ServiceResponse> {
  call.authorize('s3:AbortMultipartUpload', call.key);
  const { uploadId } = call.store.upload(call.bucket, call.key, uploadIdOf(call));
  await call.store.commit({ type: 'end', bucket: call.bucket, uploadId });
  return { status: 204 };
}
