import { z } from 'zod';
import type { LoadedTemplate } from '../../template/load.ts';
import { Inert, type PropertyReader } from '../../template/read.ts';

const Keys = z
  .array(z.strictObject({ AttributeName: z.string(), KeyType: z.enum(['HASH', 'RANGE']) }))
  .min(1)
  .max(2);
const Throughput = z.strictObject({ ReadCapacityUnits: z.coerce.number(), WriteCapacityUnits: z.coerce.number() });

const Index = z.strictObject({
  IndexName: z.string(),
  KeySchema: Keys,
  Projection: z.strictObject({
    ProjectionType: z.enum(['ALL', 'KEYS_ONLY', 'INCLUDE']),
    NonKeyAttributes: z.array(z.string()).optional(),
  }),
  ProvisionedThroughput: Throughput.optional(),
  OnDemandThroughput: Inert,
  ContributorInsightsSpecification: Inert,
});
export type Index = z.infer<typeof Index>;

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html */
const Table = z.strictObject({
  TableName: z.string().optional(),
  AttributeDefinitions: z.array(z.strictObject({ AttributeName: z.string(), AttributeType: z.enum(['S', 'N', 'B']) })),
  KeySchema: Keys,
  GlobalSecondaryIndexes: z.array(Index).default([]),
  BillingMode: z.enum(['PAY_PER_REQUEST', 'PROVISIONED']).default('PROVISIONED'),
  ProvisionedThroughput: Throughput.optional(),
  StreamSpecification: z
    .strictObject({ StreamViewType: z.enum(['NEW_AND_OLD_IMAGES', 'NEW_IMAGE', 'OLD_IMAGE', 'KEYS_ONLY']) })
    .optional(),
  TimeToLiveSpecification: z
    .strictObject({ AttributeName: z.string(), Enabled: z.union([z.boolean(), z.stringbool()]) })
    .optional(),
  // Protects against deletion; a local stack is never deleted.
  DeletionProtectionEnabled: Inert,
  // Backups are copies of the state directory.
  PointInTimeRecoverySpecification: Inert,
  // Nothing is encrypted at rest on a laptop.
  SSESpecification: Inert,
  OnDemandThroughput: Inert,
  ContributorInsightsSpecification: Inert,
  TableClass: Inert,
  Tags: Inert,
});

export interface TableConfiguration {
  name: string;
  arn: string;
  streamArn: string;
  properties: z.infer<typeof Table>;
}

/** Reads the tables. Problems are recorded in the reader. */
export function readTables(template: LoadedTemplate, reader: PropertyReader): TableConfiguration[] {
  return template.ofType('AWS::DynamoDB::Table').flatMap((resource) => {
    const properties = reader.read(resource, Table);
    if (!properties) return [];
    const { Arn: arn = '', StreamArn: streamArn = '' } = resource.attributes;
    return [{ name: resource.name, arn, streamArn, properties }];
  });
}

/** Name of the partition key of a table or its index; undefined if that does not exist. */
export function partitionKeyOf(table: TableConfiguration | undefined, index?: string): string | undefined {
  const keys =
    index === undefined
      ? table?.properties.KeySchema
      : table?.properties.GlobalSecondaryIndexes.find(({ IndexName }) => IndexName === index)?.KeySchema;
  return keys?.find(({ KeyType }) => KeyType === 'HASH')?.AttributeName;
}
