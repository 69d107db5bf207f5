import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Table } from '../../aws/table.ts';
import { count, logger } from './observability.ts';

/** Endpoint, region and credentials come from the environment. */
export function tableNamed(name: string): Table {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient({}), {
    marshallOptions: { removeUndefinedValues: true },
  });
  return {
    client,
    name,
    onUnreadable: (key, error) => {
      logger.error('a row does not fit its schema', { ...key, issues: error.issues });
      count('rowUnreadable');
    },
  };
}
