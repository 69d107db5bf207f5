import { Stack } from 'aws-cdk-lib';
import { type Bucket, CfnBucket } from 'aws-cdk-lib/aws-s3';
import { z } from 'zod';
import { lifecycleFault } from '../../core/archive/lifecycle.ts';

/** As CloudFormation has it: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-rule.html */
const Rule = z.looseObject({
  id: z.string().default('without an id'),
  status: z.string(),
  prefix: z.string().default(''),
  tagFilters: z.array(z.object({ key: z.string(), value: z.string() })).default([]),
  expirationInDays: z.number().optional(),
  expirationDate: z.unknown().optional(),
  noncurrentVersionExpiration: z.looseObject({ noncurrentDays: z.number() }).optional(),
  noncurrentVersionExpirationInDays: z.number().optional(),
});
const Lifecycle = z.object({ rules: z.array(Rule) });

/** Synthesis fails when a lifecycle rule of the bucket may remove an upload, or the copy that has replaced one, whatever its day. */
export function holdToLifecycle(bucket: Bucket): void {
  bucket.node.addValidation({
    validate: () => {
      const made = bucket.node.defaultChild;
      if (!(made instanceof CfnBucket)) return ['Its lifecycle rules cannot be read.'];
      const { rules } = Lifecycle.parse(Stack.of(bucket).resolve(made.lifecycleConfiguration) ?? { rules: [] });
      const fault = lifecycleFault(
        rules.map((rule) => ({
          ...{
            id: rule.id,
            isEnabled: rule.status === 'Enabled',
            prefix: rule.prefix,
            tags: Object.fromEntries(rule.tagFilters.map(({ key, value }) => [key, value])),
            // It may move what it likes: nothing is lost by that.
            movesTo: [],
          },
          expires: rule.expirationInDays !== undefined || rule.expirationDate !== undefined,
          noncurrentDays: rule.noncurrentVersionExpiration?.noncurrentDays ?? rule.noncurrentVersionExpirationInDays,
        })),
        Number.POSITIVE_INFINITY,
      );
      return fault === null ? [] : [fault];
    },
  });
}
