import { Effect, PolicyStatement, type PolicyStatementProps } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';

/** A statement that allows `actions` of one service: `allow('s3', ['GetObject'], arn)`. */
export function allow(
  service: string,
  actions: string[],
  resources: string | string[],
  conditions?: PolicyStatementProps['conditions'],
): PolicyStatement {
  return new PolicyStatement({
    effect: Effect.ALLOW,
    actions: actions.map((action) => `${service}:${action}`),
    resources: [resources].flat(),
    ...(conditions && { conditions }),
  });
}

/**
 * Lists keys under a prefix, and is told 404, not 403, of an object that is not there: S3 asks for ListBucket for that too, and
 * such a request has no `s3:prefix`. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export function allowListing(bucket: IBucket, prefix: string): PolicyStatement {
  return allow('s3', ['ListBucket'], bucket.bucketArn, { StringLikeIfExists: { 's3:prefix': `${prefix}*` } });
}
