import { createHash } from 'node:crypto';
import { type ChecksumAlgorithm, combineCrcs, createDigest } from '../../gateway/checksums.ts';
import { AwsError, type ServiceResponse } from '../../kernel/service.ts';
import { readText, type S3Call } from './call.ts';
import { createdEvent } from './events.ts';
import { writtenHeaders } from './headers.ts';
import { type Checksum, LIMITS, type ObjectVersion, type Part } from './model.ts';
import { uploadIdOf } from './multipart.ts';
import { checkWriteConditions } from './preconditions.ts';
import type { OpenUpload } from './store.ts';
import { xmlResponse } from './xml.ts';
import { readXml, textOf, type XmlNode } from './xml-read.ts';

export async function completeMultipartUpload(call: S3Call): Promise<ServiceResponse> {
  const { request, store, bucket, key } = call;
  call.authorize('s3:PutObject', key);
  const uploadId = uploadIdOf(call);
  const named = readXml(await readText(request), 'CompleteMultipartUpload').Part ?? [];
  // A client that lost the first answer retries, and gets the same answer.
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
    modified: upload.initiated,
    headers: upload.headers,
    metadata: upload.metadata,
    checksum,
    pieces: parts.map((part) => part.piece),
    sequencer: store.nextSequencer(),
    uploadId,
  };
  checkWriteConditions(request.headers, key, store.latest(bucket, key));
  const event = createdEvent(store, {
    bucket,
    version: { ...version, modified: call.now },
    reason: 'CompleteMultipartUpload',
    by: call,
  });
  await store.commit({ type: 'end', bucket, uploadId, version, event });
  return completed(call, version);
}

function completed(call: S3Call, version: ObjectVersion): ServiceResponse {
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

function chooseParts(upload: OpenUpload, named: XmlNode[]): Part[] {
  if (named.length === 0) {
    throw new AwsError(
      'MalformedXML',
      400,
      'The XML you provided was not well-formed or did not validate against our published schema',
    );
  }
  const numbers = named.map((item) => Number(textOf(item, 'PartNumber')));
  if (numbers.some((number, i) => i > 0 && number <= (numbers[i - 1] ?? 0))) {
    throw new AwsError(
      'InvalidPartOrder',
      400,
      'The list of parts was not in ascending order. Parts must be ordered by part number.',
    );
  }
  const parts = named.map((item) => {
    const number = Number(textOf(item, 'PartNumber'));
    const part = upload.parts.get(number);
    const etag = (textOf(item, 'ETag') ?? '').replaceAll('"', '');
    const checksum = textOf(item, `Checksum${upload.checksum.algorithm}`);
    if (checksum === undefined && upload.checksum.requested && upload.checksum.type === 'COMPOSITE') {
      throw new AwsError(
        'InvalidRequest',
        400,
        `The upload was created using a ${upload.checksum.algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${number} in the request.`,
      );
    }
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
