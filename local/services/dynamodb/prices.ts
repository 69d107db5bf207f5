import type { Rate } from '../../plugin.ts';

/** On-demand price since November 2024 of a write of up to 1 KB. https://aws.amazon.com/dynamodb/pricing/ */
const WRITES: Rate = { what: 'DynamoDB writes', unit: 'write units', usdPerUnit: 0.625 / 1e6 };
/** A strongly consistent read of up to 4 KB. */
const READS: Rate = { what: 'DynamoDB reads', unit: 'read units', usdPerUnit: 0.125 / 1e6 };

const READING = /^(GetItem|BatchGetItem|Query|Scan|TransactGetItems)$/;
const WRITING = /^(PutItem|UpdateItem|DeleteItem|BatchWriteItem|TransactWriteItems)$/;

export function rate(counted: string, all: readonly string[]): Rate | undefined {
  if (counted.startsWith('dynamodb:write-units')) return WRITES;
  if (counted.startsWith('dynamodb:read-units')) return READS;
  const operation = /^request:dynamodb:(.*)/.exec(counted)?.[1];
  // If units were counted, requests are not charged.
  if (operation === undefined || all.some((name) => name.startsWith('dynamodb:write-units'))) return undefined;
  if (READING.test(operation)) return READS;
  return WRITING.test(operation) ? WRITES : undefined;
}
