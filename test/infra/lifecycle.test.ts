import { App, Duration, Stack } from 'aws-cdk-lib';
import { Bucket, type LifecycleRule } from 'aws-cdk-lib/aws-s3';
import { expect, it } from 'vitest';
import { holdToLifecycle } from '../../lib/storage/hold-to-lifecycle.ts';
import { synthesize } from './synthesize.ts';

const problemsOf = (lifecycleRules: LifecycleRule[]) => {
  const bucket = new Bucket(new Stack(new App(), 'Stack'), 'Uploads', { versioned: true, lifecycleRules });
  holdToLifecycle(bucket);
  return bucket.node.validate();
};

it.each<[string, LifecycleRule, number]>([
  ['an expiry of everything', { expiration: Duration.days(3650) }, 1],
  ['an expiry at a date', { prefix: 'drop/', expirationDate: new Date('2030-01-01') }, 1],
  ['the end of earlier versions', { id: 'old', noncurrentVersionExpiration: Duration.days(3650) }, 1],
  ['an expiry that is off', { expiration: Duration.days(1), enabled: false }, 0],
  ['an expiry elsewhere', { prefix: 'tmp/', expiration: Duration.days(1) }, 0],
  ['the end of unfinished uploads', { abortIncompleteMultipartUploadAfter: Duration.days(3) }, 0],
])('synthesis of a bucket of uploads with %s: %j', (_, rule, problems) => {
  expect(problemsOf([rule])).toHaveLength(problems);
});

it('the bucket of uploads moves versions by their tag, and expires none', async () => {
  const { template } = await synthesize();
  const rules = Object.values(template.findResources('AWS::S3::Bucket'))
    .map(({ Properties }) => Properties)
    .find(({ VersioningConfiguration }) => VersioningConfiguration !== undefined)?.LifecycleConfiguration.Rules;
  expect(rules).toEqual([
    { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 3 }, Status: 'Enabled' },
    ...['GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE'].map((StorageClass) => ({
      Id: `move-to-${StorageClass}`,
      Status: 'Enabled',
      TagFilters: [{ Key: 'dropreel-archive-class', Value: StorageClass }],
      Transitions: [{ StorageClass, TransitionInDays: 0 }],
    })),
  ]);
});
