import { expect, test } from 'vitest';
import { planOperation } from '../../../services/dynamodb/operations.ts';

const pk = (value: string) => ({ pk: { S: value }, sk: { S: 'x' } });
const partitionKeyOf = (_table: string, index?: string) => (index === undefined ? 'pk' : 'todo');

const leadingKeysOf = (operation: string, input: Record<string, unknown>) =>
  planOperation(operation, input, partitionKeyOf)?.checks.map(({ action, context }) => [
    action,
    context?.['dynamodb:LeadingKeys'],
  ]);

test.each<[operation: string, input: Record<string, unknown>, expected: unknown]>([
  ['GetItem', { TableName: 't', Key: pk('A#1') }, [['dynamodb:GetItem', ['A#1']]]],
  ['PutItem', { TableName: 't', Item: pk('A#1') }, [['dynamodb:PutItem', ['A#1']]]],
  ['UpdateItem', { TableName: 't', Key: pk('A#1') }, [['dynamodb:UpdateItem', ['A#1']]]],
  ['DeleteItem', { TableName: 't', Key: pk('A#1') }, [['dynamodb:DeleteItem', ['A#1']]]],
  [
    'Query',
    {
      TableName: 't',
      KeyConditionExpression: 'sk > :x AND pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: 'A#1' }, ':x': { S: 'B#2' } },
    },
    [['dynamodb:Query', ['A#1']]],
  ],
  [
    'Query',
    {
      TableName: 't',
      IndexName: 'todo',
      KeyConditionExpression: '#t = :t AND #at <= :until',
      ExpressionAttributeNames: { '#t': 'todo', '#at': 'todoAt' },
      ExpressionAttributeValues: { ':t': { S: 'job' }, ':until': { S: '2026' } },
    },
    [['dynamodb:Query', ['job']]],
  ],
  [
    'BatchGetItem',
    { RequestItems: { t: { Keys: [pk('A#1'), pk('B#2'), pk('A#1')] } } },
    [['dynamodb:BatchGetItem', ['A#1', 'B#2']]],
  ],
  [
    'BatchWriteItem',
    { RequestItems: { t: [{ PutRequest: { Item: pk('A#1') } }, { DeleteRequest: { Key: pk('B#2') } }] } },
    [['dynamodb:BatchWriteItem', ['A#1', 'B#2']]],
  ],
  [
    'TransactWriteItems',
    {
      TransactItems: [
        { Put: { TableName: 't', Item: pk('A#1') } },
        { Update: { TableName: 't', Key: pk('B#2') } },
        { ConditionCheck: { TableName: 't', Key: pk('C#3') } },
      ],
    },
    [
      ['dynamodb:PutItem', ['A#1']],
      ['dynamodb:UpdateItem', ['B#2']],
      ['dynamodb:ConditionCheckItem', ['C#3']],
    ],
  ],
  ['Scan', { TableName: 't' }, [['dynamodb:Scan', undefined]]],
])('%s has the requested partition keys in dynamodb:LeadingKeys (%#)', (operation, input, expected) => {
  expect(leadingKeysOf(operation, input)).toEqual(expected);
});

test('a Query without an equality of the partition key is refused', () => {
  const input = { TableName: 't', KeyConditionExpression: 'pk > :pk', ExpressionAttributeValues: { ':pk': { S: '' } } };
  expect(() => leadingKeysOf('Query', input)).toThrow('KeyConditionExpression of the form pk = :value');
});
