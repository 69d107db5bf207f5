import type { ServiceRequest, ServiceResponse } from '../../kernel/service.ts';
import { getBucketLifecycleConfiguration } from './bucket-lifecycle.ts';
import { type S3Call, splitPath } from './call.ts';
import { completeMultipartUpload } from './complete.ts';
import { copyObject } from './copy.ts';
import { deleteObjects } from './delete-many.ts';
import { listObjects, listObjectsV2 } from './list.ts';
import { listMultipartUploads, listParts } from './list-uploads.ts';
import { listObjectVersions } from './list-versions.ts';
import { abortMultipartUpload, createMultipartUpload, uploadPart, uploadPartCopy } from './multipart.ts';
import {
  getObjectLegalHold,
  getObjectRetention,
  putObjectLegalHold,
  putObjectLockConfiguration,
  putObjectRetention,
} from './object-lock.ts';
import { deleteObject, getObject, putObject } from './objects.ts';
import { restoreObject } from './restore.ts';
import { deleteObjectTagging, getObjectTagging, putObjectTagging } from './tagging.ts';
import { xmlResponse } from './xml.ts';

type Target = Pick<ServiceRequest, 'method' | 'path' | 'query' | 'headers'>;

/** The served operations. All others of S3 are refused by name. */
export const OPERATIONS: Readonly<Record<string, (call: S3Call) => Promise<ServiceResponse>>> = {
  GetObject: getObject,
  HeadObject: getObject,
  PutObject: putObject,
  CopyObject: copyObject,
  DeleteObject: deleteObject,
  DeleteObjects: deleteObjects,
  ListObjects: listObjects,
  ListObjectsV2: listObjectsV2,
  ListObjectVersions: listObjectVersions,
  CreateMultipartUpload: createMultipartUpload,
  UploadPart: uploadPart,
  UploadPartCopy: uploadPartCopy,
  CompleteMultipartUpload: completeMultipartUpload,
  AbortMultipartUpload: abortMultipartUpload,
  ListParts: listParts,
  ListMultipartUploads: listMultipartUploads,
  GetObjectTagging: getObjectTagging,
  PutObjectTagging: putObjectTagging,
  DeleteObjectTagging: deleteObjectTagging,
  RestoreObject: restoreObject,
  PutObjectLockConfiguration: putObjectLockConfiguration,
  PutObjectLegalHold: putObjectLegalHold,
  GetObjectLegalHold: getObjectLegalHold,
  PutObjectRetention: putObjectRetention,
  GetObjectRetention: getObjectRetention,
  GetBucketLifecycleConfiguration: getBucketLifecycleConfiguration,
  // A bucket of one's own, as in us-east-1: 200. rclone and `aws s3 mb` ask for it before they write.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
  CreateBucket: async (call) => {
    call.authorize('s3:CreateBucket');
    return { status: 200, headers: { location: `/${call.bucket}` } };
  },
  HeadBucket: async (call) => {
    call.authorize('s3:ListBucket');
    return { status: 200, headers: { 'x-amz-bucket-region': 'us-east-1' } };
  },
  GetBucketLocation: async (call) => {
    call.authorize('s3:GetBucketLocation');
    return xmlResponse('LocationConstraint', {});
  },
  GetBucketVersioning: async (call) => {
    call.authorize('s3:GetBucketVersioning');
    const { versioned } = call.store.bucket(call.bucket).configuration;
    return xmlResponse('VersioningConfiguration', versioned ? { Status: 'Enabled' } : {});
  },
};

/** Query parameters that name a subresource of a bucket or object with its own operations. */
const SUBRESOURCES: Readonly<Record<string, string>> = {
  acl: 'Acl',
  cors: 'Cors',
  lifecycle: 'LifecycleConfiguration',
  policy: 'Policy',
  tagging: 'Tagging',
  retention: 'Retention',
  'legal-hold': 'LegalHold',
  encryption: 'Encryption',
  notification: 'Notification',
  logging: 'Logging',
  website: 'Website',
  replication: 'Replication',
  restore: 'Restore',
  select: 'Select',
  attributes: 'Attributes',
  torrent: 'Torrent',
  accelerate: 'Accelerate',
  publicAccessBlock: 'PublicAccessBlock',
  analytics: 'AnalyticsConfiguration',
  'intelligent-tiering': 'IntelligentTieringConfiguration',
  inventory: 'InventoryConfiguration',
  metadataTable: 'MetadataTableConfiguration',
  metrics: 'MetricsConfiguration',
  'object-lock': 'ObjectLockConfiguration',
  ownershipControls: 'OwnershipControls',
  policyStatus: 'PolicyStatus',
  renameObject: 'Rename',
  requestPayment: 'RequestPayment',
  session: 'Session',
};

/** The API operation of a request. */
export function operationOf({ method, path, query, headers }: Target): string {
  const { bucket, key } = splitPath(path);
  const subresource = Object.keys(SUBRESOURCES).find((name) => query.has(name));
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  if (subresource === 'restore' && method === 'POST') return 'RestoreObject';
  if (subresource === 'object-lock') return `${verb}ObjectLockConfiguration`;
  if (subresource) return `${verb}${key === '' ? 'Bucket' : 'Object'}${SUBRESOURCES[subresource]}`;
  if (bucket === '') return method === 'GET' ? 'ListBuckets' : `${verb}Service`;
  const copies = headers['x-amz-copy-source'] !== undefined;
  if (key === '') {
    if (method === 'GET' && query.has('location')) return 'GetBucketLocation';
    if (method === 'GET' && query.has('versioning')) return 'GetBucketVersioning';
    if (method === 'GET' && query.has('versions')) return 'ListObjectVersions';
    if (method === 'GET' && query.has('uploads')) return 'ListMultipartUploads';
    if (method === 'GET') return query.get('list-type') === '2' ? 'ListObjectsV2' : 'ListObjects';
    if (method === 'POST' && query.has('delete')) return 'DeleteObjects';
    return { HEAD: 'HeadBucket', PUT: 'CreateBucket', DELETE: 'DeleteBucket' }[method] ?? `${verb}Bucket`;
  }
  if (query.has('uploadId')) {
    if (method === 'PUT') return copies ? 'UploadPartCopy' : 'UploadPart';
    return (
      { GET: 'ListParts', POST: 'CompleteMultipartUpload', DELETE: 'AbortMultipartUpload' }[method] ?? `${verb}Upload`
    );
  }
  if (method === 'POST' && query.has('uploads')) return 'CreateMultipartUpload';
  if (method === 'PUT') return copies ? 'CopyObject' : 'PutObject';
  return `${verb}Object`;
}
