import { AwsError, type ServiceResponse } from '../../kernel/service.ts';
import type { S3Call } from './call.ts';
import type { LifecycleRule } from './model.ts';
import { xmlResponse } from './xml.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html */
export async function getBucketLifecycleConfiguration(call: S3Call): Promise<ServiceResponse> {
  call.authorize('s3:GetLifecycleConfiguration');
  const { lifecycle } = call.store.bucket(call.bucket).configuration;
  if (lifecycle.length === 0) {
    throw new AwsError('NoSuchLifecycleConfiguration', 404, 'The lifecycle configuration does not exist');
  }
  return xmlResponse('LifecycleConfiguration', { Rule: lifecycle.map(describe) });
}

function describe(rule: LifecycleRule, i: number) {
  const Tag = Object.entries(rule.tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
  const filters = {
    Prefix: rule.prefix === '' && Tag.length > 0 ? undefined : rule.prefix,
    ObjectSizeGreaterThan: rule.largerThan,
    Tag,
  };
  const several = Tag.length + Number(filters.Prefix !== undefined) + Number(rule.largerThan !== undefined) > 1;
  return {
    ID: rule.id ?? `rule-${i}`,
    Filter: several ? { And: filters } : filters,
    Status: 'Enabled',
    Expiration: rule.expirationDays === undefined ? undefined : { Days: rule.expirationDays },
    Transition: rule.transitions?.map(({ storageClass, days }) => ({ Days: days, StorageClass: storageClass })),
    NoncurrentVersionExpiration:
      rule.noncurrentDays === undefined ? undefined : { NoncurrentDays: rule.noncurrentDays },
    AbortIncompleteMultipartUpload:
      rule.abortUploadDays === undefined ? undefined : { DaysAfterInitiation: rule.abortUploadDays },
  };
}
