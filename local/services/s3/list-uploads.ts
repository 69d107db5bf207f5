import type { ServiceResponse } from '../../kernel/service.ts';
import type { S3Call } from './call.ts';
import { compareKeys } from './key-index.ts';
import { invalidArgument, LIMITS, xmlTime } from './model.ts';
import { uploadIdOf } from './multipart.ts';
import { xmlResponse } from './xml.ts';

/** `max-parts`, `max-uploads`: at most 1,000. */
function limitOf(call: S3Call, name: string): number {
  const text = call.request.query.get(name) ?? String(LIMITS.listed);
  if (!/^\d+$/.test(text)) {
    throw invalidArgument(`Provided ${name} not an integer or within integer range`, {
      ArgumentName: name,
      ArgumentValue: text,
    });
  }
  return Math.min(Number(text), LIMITS.listed);
}

export async function listParts(call: S3Call): Promise<ServiceResponse> {
  const { request, store, bucket, key } = call;
  call.authorize('s3:ListMultipartUploadParts', key);
  const upload = store.upload(bucket, key, uploadIdOf(call));
  const after = Number(request.query.get('part-number-marker') ?? 0);
  const most = limitOf(call, 'max-parts');
  const left = [...upload.parts.values()].filter(({ number }) => number > after).sort((a, b) => a.number - b.number);
  const shown = left.slice(0, most);
  const next = shown.at(-1)?.number;
  const { algorithm, type, requested } = upload.checksum;
  return xmlResponse('ListPartsResult', {
    Bucket: bucket,
    Key: key,
    UploadId: upload.uploadId,
    PartNumberMarker: after,
    ...(next !== undefined && { NextPartNumberMarker: next }),
    MaxParts: most,
    IsTruncated: left.length > shown.length,
    ...(requested && { ChecksumAlgorithm: algorithm, ChecksumType: type }),
    Part: shown.map((part) => ({
      PartNumber: part.number,
      LastModified: xmlTime(part.modified),
      ETag: `"${part.etag}"`,
      Size: part.size,
      [`Checksum${part.checksum.algorithm}`]: part.checksum.value,
    })),
    StorageClass: 'STANDARD',
  });
}

/** Sorted by key, then by time of initiation, as on AWS. */
export async function listMultipartUploads(call: S3Call): Promise<ServiceResponse> {
  const { query } = call.request;
  call.authorize('s3:ListBucketMultipartUploads');
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const most = limitOf(call, 'max-uploads');
  const sorted = [...call.store.bucket(call.bucket).uploads.values()]
    .filter(({ key }) => key.startsWith(prefix))
    .sort((a, b) => compareKeys(a.key, b.key) || a.initiated - b.initiated);
  const marked = sorted.findIndex(({ key, uploadId }) => key === keyMarker && uploadId === idMarker);
  const left = marked >= 0 ? sorted.slice(marked + 1) : sorted.filter(({ key }) => compareKeys(key, keyMarker) > 0);
  const shown = left.slice(0, most);
  const truncated = left.length > shown.length;
  const last = shown.at(-1);
  return xmlResponse('ListMultipartUploadsResult', {
    Bucket: call.bucket,
    KeyMarker: keyMarker,
    UploadIdMarker: idMarker,
    ...(truncated && last && { NextKeyMarker: last.key, NextUploadIdMarker: last.uploadId }),
    Prefix: prefix,
    MaxUploads: most,
    IsTruncated: truncated,
    Upload: shown.map(({ key, uploadId, initiated }) => ({
      Key: key,
      UploadId: uploadId,
      Initiated: xmlTime(initiated),
      StorageClass: 'STANDARD',
    })),
  });
}
