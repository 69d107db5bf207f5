import type { IEventBus } from 'aws-cdk-lib/aws-events';
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
 * Allows rows of these partitions only, each given by the beginning of its keys. Not for Scan, whose requests have no keys: ForAllValues
 * is true without any. https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
 */
export function allowRows(
  table: { tableArn: string },
  actions: string[],
  partitions: readonly string[],
): PolicyStatement {
  const keys = partitions.map((prefix) => `${prefix}*`);
  return allow('dynamodb', actions, table.tableArn, { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys } });
}

/** Allows to put events of these kinds on a bus, and no others: receivers of webhooks trust what is on it. */
export function allowEvents(bus: IEventBus, source: string, detailType: string | string[]): PolicyStatement {
  return allow('events', ['PutEvents'], bus.eventBusArn, {
    StringEquals: { 'events:source': source, 'events:detail-type': detailType },
  });
}

/**
 * Allows to list keys under some prefixes, and to get 404 instead of 403 for a missing object: S3 requires ListBucket for that too, and such a
 * request has no `s3:prefix`. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export function allowListing(bucket: IBucket, ...prefixes: string[]): PolicyStatement {
  const patterns = prefixes.map((prefix) => `${prefix}*`);
  return allow('s3', ['ListBucket'], bucket.bucketArn, { StringLikeIfExists: { 's3:prefix': patterns } });
}
