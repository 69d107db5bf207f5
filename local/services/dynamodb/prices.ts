import type { Prices } from '../../cost/prices.ts';
import type { Rate } from '../../plugin.ts';

const READING = /^(GetItem|BatchGetItem|Query|Scan|TransactGetItems)$/;
const WRITING = /^(PutItem|UpdateItem|DeleteItem|BatchWriteItem|TransactWriteItems)$/;

export function rate(counted: string, { dynamoDb }: Prices, all: readonly string[]): Rate | undefined {
  const writes = { what: 'DynamoDB writes', unit: 'write units', usdPerUnit: dynamoDb.writeUnit };
  const reads = { what: 'DynamoDB reads', unit: 'read units', usdPerUnit: dynamoDb.readUnit };
  if (counted.startsWith('dynamodb:write-units')) return writes;
  if (counted.startsWith('dynamodb:read-units')) return reads;
  const operation = /^request:dynamodb:(.*)/.exec(counted)?.[1];
  // If units were counted, requests are not charged.
  if (operation === undefined || all.some((name) => name.startsWith('dynamodb:write-units'))) return undefined;
  if (READING.test(operation)) return reads;
  return WRITING.test(operation) ? writes : undefined;
}
