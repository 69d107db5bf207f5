import { createHash, randomBytes } from 'node:crypto';
import { type ChecksumAlgorithm, combineCrcs, createDigest, isChecksumAlgorithm } from '../gateway/checksums.ts';
import { AwsError, type ServiceResponse } from '../service.ts';
import { type Call, readText } from './call.ts';
import { findCopySource } from './copy.ts';
import { createdEvent } from './events.ts';
import {
  readRange,
  refuseUnserved,
  requestedChecksum,
  storedHeaders,
  userMetadata,
  writtenHeaders,
} from './headers.ts';
import {
  type Checksum,
  invalidArgument,
  LIMITS,
  type MultipartUpload,
  noSuchUpload,
  type ObjectVersion,
  type Part,
} from './model.ts';
import { checkWriteConditions } from './preconditions.ts';
import type { OpenUpload } from './store.ts';
import { listOf, readXml, xmlResponse } from './xml.ts';

const uploadIdOf = (call: Call) => call.request.query.get('uploadId') ?? '';

export async function createMultipartUpload(call: Call): Promise<ServiceResponse> {
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
    { 'x-amz-checksum-algorithm': checksum.algorithm, 'x-amz-checksum-type': checksum.type },
  );
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html: types by algorithm */
function checksumOf(headers: Call['request']['headers']): MultipartUpload['checksum'] {
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
  return { algorithm, type: type === 'FULL_OBJECT' ? 'FULL_OBJECT' : 'COMPOSITE' };
}

function partNumberOf(call: Call): number {
  const number = Number(call.request.query.get('partNumber'));
  if (!Number.isInteger(number) || number < 1 || number > LIMITS.parts) {
    throw invalidArgument('Part number must be an integer between 1 and 10000, inclusive', {
      ArgumentName: 'partNumber',
    });
  }
  return number;
}

export async function uploadPart(call: Call): Promise<ServiceResponse> {
  const { request, store, bucket, key } = call;
  call.authorize('s3:PutObject', key);
  const upload = store.upload(bucket, key, uploadIdOf(call));
  const number = partNumberOf(call);
  const requested = requestedChecksum(request.headers);
  const { algorithm } = upload.checksum;
  if (
    requested &&
    requested.algorithm !== algorithm &&
    request.headers['x-amz-trailer'] === undefined &&
    requested.value
  ) {
    throw new AwsError(
      'InvalidRequest',
      400,
      `Checksum Type mismatch occurred, expected checksum Type: ${algorithm.toLowerCase()}, actual checksum Type: ${requested.algorithm.toLowerCase()}`,
    );
  }
  const written = await store.bodies.write(request.body, algorithm, LIMITS.partBytes);
  if (requested?.algorithm === algorithm && requested.value !== undefined && requested.value !== written.checksum) {
    await store.bodies.remove(written.piece.file);
    throw new AwsError('BadDigest', 400, `The ${algorithm} you specified did not match the calculated checksum.`);
  }
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
    headers: { etag: `"${part.etag}"`, [`x-amz-checksum-${algorithm.toLowerCase()}`]: part.checksum.value },
  };
}

export async function uploadPartCopy(call: Call): Promise<ServiceResponse> {
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
      LastModified: new Date(part.modified).toISOString(),
      ETag: `"${part.etag}"`,
      [`Checksum${algorithm}`]: checksum.value,
    },
    store.bucket(sourceBucket).configuration.versioned ? { 'x-amz-copy-source-version-id': source.versionId } : {},
  );
}

async function commitPart(call: Call, part: Part): Promise<void> {
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

export async function completeMultipartUpload(call: Call): Promise<ServiceResponse> {
  const { request, store, bucket, key } = call;
  call.authorize('s3:PutObject', key);
  const uploadId = uploadIdOf(call);
  const named = listOf(readXml(await readText(request), 'CompleteMultipartUpload').Part);
  // A client that lost the first answer asks again, and is told the same.
  const before = store.latest(bucket, key);
  if (before?.uploadId === uploadId) return completed(call, before);
  const upload = store.upload(bucket, key, uploadId);
  const parts = chooseParts(upload, named);
  const checksum = checksumOfParts(upload, parts);
  const announced = request.headers[`x-amz-checksum-${checksum.algorithm.toLowerCase()}`];
  if (announced !== undefined && announced !== checksum.value) {
    throw new AwsError(
      'BadDigest',
      400,
      `The ${checksum.algorithm} you specified did not match the calculated checksum.`,
    );
  }
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const expected = request.headers['x-amz-mp-object-size'];
  if (expected !== undefined && Number(expected) !== size) {
    throw new AwsError('InvalidRequest', 400, 'The provided object size does not match the size of its parts.');
  }
  const md5s = Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex')));
  const version: ObjectVersion = {
    key,
    versionId: store.newVersionId(bucket),
    size,
    etag: `${createHash('md5').update(md5s).digest('hex')}-${parts.length}`,
    modified: call.now,
    headers: upload.headers,
    metadata: upload.metadata,
    checksum,
    pieces: parts.map((part) => part.piece),
    sequencer: store.nextSequencer(),
    uploadId,
  };
  checkWriteConditions(request.headers, key, store.latest(bucket, key));
  const event = createdEvent(store, bucket, version, 'CompleteMultipartUpload', call);
  await store.commit({ type: 'end', bucket, uploadId, version, event });
  return completed(call, version);
}

function completed(call: Call, version: ObjectVersion): ServiceResponse {
  const { etag, ...headers } = writtenHeaders(version, call.store.bucket(call.bucket).configuration.versioned);
  const { checksum } = version;
  return xmlResponse(
    'CompleteMultipartUploadResult',
    {
      Location: `/${call.bucket}/${encodeURIComponent(call.key)}`,
      Bucket: call.bucket,
      Key: call.key,
      ETag: etag,
      ...(checksum && { [`Checksum${checksum.algorithm}`]: checksum.value, ChecksumType: checksum.type }),
    },
    headers,
  );
}

function chooseParts(upload: OpenUpload, named: Record<string, unknown>[]): Part[] {
  if (named.length === 0) {
    throw new AwsError(
      'MalformedXML',
      400,
      'The XML you provided was not well-formed or did not validate against our published schema',
    );
  }
  const parts = named.map((item) => {
    const number = Number(item.PartNumber);
    const part = upload.parts.get(number);
    const etag = String(item.ETag ?? '').replaceAll('"', '');
    const checksum = item[`Checksum${upload.checksum.algorithm}`];
    if (!part || part.etag !== etag || (checksum !== undefined && checksum !== part.checksum.value)) {
      throw new AwsError(
        'InvalidPart',
        400,
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        { UploadId: upload.uploadId, PartNumber: String(number), ETag: etag },
      );
    }
    return part;
  });
  for (const [i, part] of parts.entries()) {
    if (i > 0 && part.number <= (parts[i - 1]?.number ?? 0)) {
      throw new AwsError(
        'InvalidPartOrder',
        400,
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
      );
    }
    if (i < parts.length - 1 && part.size < LIMITS.smallestPart) {
      throw new AwsError('EntityTooSmall', 400, 'Your proposed upload is smaller than the minimum allowed size', {
        ProposedSize: String(part.size),
        MinSizeAllowed: String(LIMITS.smallestPart),
        PartNumber: String(part.number),
      });
    }
  }
  return parts;
}

function checksumOfParts({ checksum: { algorithm, type } }: OpenUpload, parts: Part[]): Checksum {
  const values = parts.map((part) => ({ value: Buffer.from(part.checksum.value, 'base64'), length: part.size }));
  if (type === 'FULL_OBJECT' && isCrc(algorithm)) {
    return { algorithm, type, value: combineCrcs(algorithm, values).toString('base64') };
  }
  const digest = createDigest(algorithm);
  for (const { value } of values) digest.update(value);
  return { algorithm, type: 'COMPOSITE', value: `${digest.digest().toString('base64')}-${parts.length}` };
}

const isCrc = (algorithm: ChecksumAlgorithm): algorithm is 'CRC32' | 'CRC32C' | 'CRC64NVME' =>
  algorithm.startsWith('CRC');

export async function abortMultipartUpload(call: Call): Promise<ServiceResponse> {
  call.authorize('s3:AbortMultipartUpload', call.key);
  const { uploadId } = call.store.upload(call.bucket, call.key, uploadIdOf(call));
  await call.store.commit({ type: 'end', bucket: call.bucket, uploadId });
  return { status: 204 };
}

export async function listParts(call: Call): Promise<ServiceResponse> {
  const { request, store, bucket, key } = call;
  call.authorize('s3:ListMultipartUploadParts', key);
  const upload = store.upload(bucket, key, uploadIdOf(call));
  const after = Number(request.query.get('part-number-marker') ?? 0);
  const most = Math.min(Number(request.query.get('max-parts') ?? LIMITS.listed), LIMITS.listed);
  const left = [...upload.parts.values()].filter(({ number }) => number > after).sort((a, b) => a.number - b.number);
  const shown = left.slice(0, most);
  const next = shown.at(-1)?.number;
  return xmlResponse('ListPartsResult', {
    Bucket: bucket,
    Key: key,
    UploadId: upload.uploadId,
    PartNumberMarker: after,
    ...(next !== undefined && { NextPartNumberMarker: next }),
    MaxParts: most,
    IsTruncated: left.length > shown.length,
    ChecksumAlgorithm: upload.checksum.algorithm,
    ChecksumType: upload.checksum.type,
    Part: shown.map((part) => ({
      PartNumber: part.number,
      LastModified: new Date(part.modified).toISOString(),
      ETag: `"${part.etag}"`,
      Size: part.size,
      [`Checksum${part.checksum.algorithm}`]: part.checksum.value,
    })),
    StorageClass: 'STANDARD',
  });
}

export async function listMultipartUploads(call: Call): Promise<ServiceResponse> {
  const { request, store, bucket } = call;
  call.authorize('s3:ListBucketMultipartUploads');
  const prefix = request.query.get('prefix') ?? '';
  const uploads = [...store.bucket(bucket).uploads.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => (a.key === b.key ? a.initiated - b.initiated : a.key < b.key ? -1 : 1));
  if (request.query.get('upload-id-marker') || request.query.get('key-marker'))
    throw noSuchUpload('markers are not served');
  const shown = uploads.slice(0, LIMITS.listed);
  return xmlResponse('ListMultipartUploadsResult', {
    Bucket: bucket,
    KeyMarker: '',
    UploadIdMarker: '',
    Prefix: prefix,
    MaxUploads: LIMITS.listed,
    IsTruncated: uploads.length > shown.length,
    Upload: shown.map(({ key, uploadId, initiated }) => ({
      Key: key,
      UploadId: uploadId,
      Initiated: new Date(initiated).toISOString(),
      StorageClass: 'STANDARD',
    })),
  });
}
