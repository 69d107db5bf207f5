import { AwsError } from '../../kernel/service.ts';
import type { ServicePlugin } from '../../plugin.ts';
import { arnOf, named } from '../../template/identity.ts';
import { createDynamoDb, type DynamoDb } from './dynamodb.ts';
import { rate } from './prices.ts';
import { refusedTableChanges } from './refused-changes.ts';
import { readTables, type TableConfiguration } from './template.ts';

/** DynamoDB labels a stream with the time when it was enabled; here the label is constant. */
const STREAM_LABEL = '2026-01-01T00:00:00.000';

export const dynamodb: ServicePlugin<TableConfiguration[], DynamoDb> = {
  name: 'dynamodb',
  types: {
    'AWS::DynamoDB::Table': {
      identity: named('TableName', 255, (name) => {
        const own = arnOf('dynamodb', `table/${name}`);
        return { attributes: { Arn: own, StreamArn: `${own}/stream/${STREAM_LABEL}` } };
      }),
      createOnly: ['ImportSourceSpecification', 'KeySchema', 'TableName'],
      namedBy: 'TableName',
      holdsData: true,
      refusedChanges: refusedTableChanges,
    },
  },
  processes: ['dynoxide.pid'],
  read: readTables,
  create: async (tables, context) => {
    const made = await createDynamoDb(context, {
      tables,
      indexLag: context.adverse?.indexLag,
      endpoint: context.options.dynamodbEndpoint,
      transactionTime: context.adverse?.transactionTime,
    });
    return { handle: made, service: made, state: made };
  },
  throttled: ['ProvisionedThroughputExceededException', 400],
  denied: (_, reason) => new AwsError('AccessDeniedException', 400, reason),
  rate,
};
