import { AwsError, type ServiceRequest } from '../../kernel/service.ts';
import type { ObjectVersion } from './model.ts';

const CLASS = 'x-amz-storage-class';
/** Whether objects of a class can be read at once. https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html */
const STORAGE_CLASSES: Readonly<Record<string, 'readable' | 'archived'>> = {
  STANDARD: 'readable',
  STANDARD_IA: 'readable',
  ONEZONE_IA: 'readable',
  REDUCED_REDUNDANCY: 'readable',
  INTELLIGENT_TIERING: 'readable',
  GLACIER_IR: 'readable',
  GLACIER: 'archived',
  DEEP_ARCHIVE: 'archived',
};

/** The storage class of a write, as a header; absent for STANDARD, as on S3. A copy does not inherit the class of its source. */
export function classHeader(headers: ServiceRequest['headers']): Record<string, string> {
  const named = headers[CLASS] ?? 'STANDARD';
  if (!Object.hasOwn(STORAGE_CLASSES, named)) {
    throw new AwsError('InvalidStorageClass', 400, 'The storage class you specified is not valid', {
      StorageClassRequested: named,
    });
  }
  return named === 'STANDARD' ? {} : { [CLASS]: named };
}

export function withoutClass({ [CLASS]: _, ...headers }: Record<string, string>): Record<string, string> {
  return headers;
}

export function storageClassOf({ headers }: ObjectVersion): string {
  return headers[CLASS] ?? 'STANDARD';
}

export function isArchived(version: ObjectVersion): boolean {
  return STORAGE_CLASSES[storageClassOf(version)] === 'archived';
}

export function withClass(version: ObjectVersion, storageClass: string): ObjectVersion {
  return { ...version, headers: { ...withoutClass(version.headers), [CLASS]: storageClass } };
}

/** Archived objects can be read only while there is a restored copy. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export function refuseArchived(version: ObjectVersion, now: number): void {
  const { restore } = version;
  if (!isArchived(version) || (restore && restore.readyAt <= now && now < restore.expiresAt)) return;
  const StorageClass = storageClassOf(version);
  const message = "The operation is not valid for the object's storage class";
  throw new AwsError('InvalidObjectState', 403, message, { StorageClass });
}
