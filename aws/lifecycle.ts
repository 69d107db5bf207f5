import { GetBucketLifecycleConfigurationCommand, type S3Client } from '@aws-sdk/client-s3';
import type { LifecycleRule } from '../core/archive/lifecycle.ts';

/** The lifecycle rules of a bucket. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html */
export async function lifecycleRules(client: S3Client, bucket: string): Promise<LifecycleRule[]> {
  try {
    const { Rules = [] } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }));
    return Rules.map(
      ({ ID = '', Status, Prefix, Filter, Expiration, NoncurrentVersionExpiration, Transitions = [] }) => ({
        id: ID,
        isEnabled: Status === 'Enabled',
        prefix: Filter?.And?.Prefix ?? Filter?.Prefix ?? Prefix ?? '',
        tags: Object.fromEntries(
          [Filter?.Tag ?? [], Filter?.And?.Tags ?? []].flat().map(({ Key = '', Value = '' }) => [Key, Value]),
        ),
        movesTo: Transitions.flatMap(({ StorageClass }) => StorageClass ?? []),
        expires: Expiration?.Days !== undefined || Expiration?.Date !== undefined,
        noncurrentDays: NoncurrentVersionExpiration?.NoncurrentDays,
      }),
    );
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchLifecycleConfiguration') return [];
    throw error;
  }
}
