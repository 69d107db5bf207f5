import { REGION } from '../../kernel/account.ts';
import { AwsError } from '../../kernel/service.ts';
import type { ServicePlugin } from '../../plugin.ts';
import { named } from '../../template/identity.ts';
import { eventbridge } from '../eventbridge/plugin.ts';
import type { BucketConfiguration } from './model.ts';
import { rate } from './prices.ts';
import { createS3, type S3 } from './s3.ts';
import { readBuckets } from './template.ts';

export const s3: ServicePlugin<BucketConfiguration[], S3> = {
  name: 's3',
  types: {
    'AWS::S3::Bucket': {
      identity: named('BucketName', 63, (name) => ({
        attributes: {
          Arn: `arn:aws:s3:::${name}`,
          DomainName: `${name}.s3.amazonaws.com`,
          RegionalDomainName: `${name}.s3.${REGION}.amazonaws.com`,
        },
      })),
      createOnly: ['BucketName', 'BucketNamePrefix', 'BucketNamespace', 'ObjectLockEnabled'],
      namedBy: 'BucketName',
      holdsData: true,
    },
    'AWS::S3::BucketPolicy': {
      createOnly: ['Bucket'],
      isPolicy: true,
    },
  },
  read: readBuckets,
  create: async (buckets, context) => {
    const made = await createS3(context, { buckets, emit: context.of(eventbridge).events.emit });
    return { handle: made, service: made.service, start: made.start, state: made };
  },
  throttled: ['SlowDown', 503],
  denied: (principal, reason) =>
    new AwsError('AccessDenied', 403, principal.type === 'anonymous' ? 'Access Denied' : reason),
  rate,
};
