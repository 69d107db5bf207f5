import { z } from 'zod';
import type { LoadedTemplate } from '../../template/load.ts';
import { Inert, type PropertyReader } from '../../template/read.ts';
import type { BucketConfiguration } from './model.ts';

const Rule = z.strictObject({
  Id: z.string().optional(),
  Status: z.enum(['Enabled', 'Disabled']),
  Prefix: z.string().default(''),
  ExpirationInDays: z.coerce.number().int().positive().optional(),
  AbortIncompleteMultipartUpload: z
    .strictObject({ DaysAfterInitiation: z.coerce.number().int().positive() })
    .optional(),
  TagFilters: z.array(z.strictObject({ Key: z.string(), Value: z.string() })).optional(),
  ObjectSizeGreaterThan: z.coerce.number().int().nonnegative().optional(),
  Transitions: z
    .array(z.strictObject({ StorageClass: z.string(), TransitionInDays: z.coerce.number().int().nonnegative() }))
    .optional(),
  NoncurrentVersionExpiration: z.strictObject({ NoncurrentDays: z.coerce.number().int().positive() }).optional(),
});

const Cors = z.strictObject({
  Id: Inert,
  AllowedHeaders: z.array(z.string()).default([]),
  AllowedMethods: z.array(z.string()),
  AllowedOrigins: z.array(z.string()),
  ExposedHeaders: z.array(z.string()).default([]),
  MaxAge: z.coerce.number().optional(),
});

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html */
const Bucket = z.strictObject({
  BucketName: z.string().optional(),
  BucketEncryption: Inert, // nothing is encrypted at rest on a laptop
  PublicAccessBlockConfiguration: Inert, // there are no ACLs here, and loopback is not public
  OwnershipControls: Inert,
  LoggingConfiguration: Inert, // requests are counted, not logged to a bucket
  Tags: Inert,
  VersioningConfiguration: z.strictObject({ Status: z.enum(['Enabled', 'Suspended']) }).optional(),
  CorsConfiguration: z.strictObject({ CorsRules: z.array(Cors) }).optional(),
  LifecycleConfiguration: z.strictObject({ Rules: z.array(Rule) }).optional(),
  NotificationConfiguration: z
    .strictObject({ EventBridgeConfiguration: z.strictObject({ EventBridgeEnabled: z.boolean().default(true) }) })
    .optional(),
});

const BucketPolicy = z.strictObject({ Bucket: z.string(), PolicyDocument: z.unknown() });

/** Reads the buckets and their policies. Problems are recorded in the reader. */
export function readBuckets(template: LoadedTemplate, reader: PropertyReader): BucketConfiguration[] {
  const policies = new Map<string, unknown>();
  for (const resource of template.ofType('AWS::S3::BucketPolicy')) {
    const policy = reader.read(resource, BucketPolicy);
    if (policy) policies.set(policy.Bucket, policy.PolicyDocument);
  }
  return template.ofType('AWS::S3::Bucket').flatMap((resource) => {
    const bucket = reader.read(resource, Bucket);
    if (!bucket) return [];
    const rules = (bucket.LifecycleConfiguration?.Rules ?? []).filter(({ Status }) => Status === 'Enabled');
    return [
      {
        name: resource.name,
        arn: resource.attributes.Arn ?? `arn:aws:s3:::${resource.name}`,
        versioned: bucket.VersioningConfiguration?.Status === 'Enabled',
        eventBridge: bucket.NotificationConfiguration?.EventBridgeConfiguration.EventBridgeEnabled ?? false,
        policy: policies.get(resource.ref),
        lifecycle: rules.map((rule) => ({
          id: rule.Id,
          prefix: rule.Prefix,
          tags: rule.TagFilters && Object.fromEntries(rule.TagFilters.map(({ Key, Value }) => [Key, Value])),
          largerThan: rule.ObjectSizeGreaterThan,
          transitions: rule.Transitions?.map(({ StorageClass, TransitionInDays }) => ({
            storageClass: StorageClass,
            days: TransitionInDays,
          })),
          expirationDays: rule.ExpirationInDays,
          abortUploadDays: rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation,
          noncurrentDays: rule.NoncurrentVersionExpiration?.NoncurrentDays,
        })),
        cors: (bucket.CorsConfiguration?.CorsRules ?? []).map((rule) => ({
          origins: rule.AllowedOrigins,
          methods: rule.AllowedMethods,
          headers: rule.AllowedHeaders,
          exposed: rule.ExposedHeaders,
          maxAge: rule.MaxAge,
        })),
      },
    ];
  });
}
