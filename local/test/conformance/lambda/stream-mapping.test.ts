/** Lambda's reading of DynamoDB streams, as docs.aws.amazon.com/lambda/latest/dg/with-ddb.html and the pages under it say. */
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { developer, fn, role, type SmallCloud, smallCloud } from '../../support/small-cloud.ts';
import { oursOnly } from '../target.ts';

oursOnly('what a function was given is read from its files');

const arn = (id: string, attribute = 'Arn') => ({ 'Fn::GetAtt': [id, attribute] });
const READ = ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'];

/** Writes the ids that it was given; fails from the first record on whose item says so. */
const SOURCE = `
import { appendFileSync } from 'node:fs';
export const handler = async (event) => {
  const ids = event.Records.map(({ dynamodb }) => dynamodb.NewImage?.id?.S);
  appendFileSync(process.env.OUT, JSON.stringify(ids) + '\\n');
  const failed = event.Records.find(({ dynamodb }) => dynamodb.NewImage?.fail?.BOOL);
  if (failed?.dynamodb.NewImage.throw) throw new Error('poison');
  return { batchItemFailures: failed ? [{ itemIdentifier: failed.dynamodb.SequenceNumber }] : [] };
};`;

function streamed(mapping: object = {}, actions = [...READ, 'sqs:SendMessage'], source = SOURCE) {
  return {
    functions: { reader: source },
    outputs: { Table: { Value: { Ref: 'Table' } }, Dead: { Value: { Ref: 'Dead' } } },
    resources: {
      Table: {
        Type: 'AWS::DynamoDB::Table',
        Properties: {
          AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
          BillingMode: 'PAY_PER_REQUEST',
          StreamSpecification: { StreamViewType: 'NEW_AND_OLD_IMAGES' },
        },
      },
      Dead: { Type: 'AWS::SQS::Queue' },
      Role: role(...actions),
      Function: fn('reader', 'Role'),
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: {
          FunctionName: { Ref: 'Function' },
          EventSourceArn: arn('Table', 'StreamArn'),
          StartingPosition: 'TRIM_HORIZON',
          FunctionResponseTypes: ['ReportBatchItemFailures'],
          ...mapping,
        },
      },
    },
  };
}

async function put(small: SmallCloud, ...items: Record<string, unknown>[]): Promise<void> {
  const client = new DynamoDBClient(developer(small.cloud));
  const table = DynamoDBDocumentClient.from(client);
  for (const Item of items) await table.send(new PutCommand({ TableName: small.cloud.outputs.Table, Item }));
  client.destroy();
}

const seen = (small: SmallCloud, check: (batches: string[][]) => boolean) =>
  eventually('the records', async () => {
    const batches = (await small.written()) as string[][];
    return check(batches) && batches;
  });

test('with-ddb: changes arrive in order, with both images', async () => {
  const source = SOURCE.replace('JSON.stringify(ids)', 'JSON.stringify(event.Records)');
  await using small = await smallCloud(streamed({}, undefined, source));
  await put(small, { id: 'a', n: 1 }, { id: 'a', n: 2 });
  const batches = await eventually('two records', async () => {
    const records = ((await small.written()) as object[][]).flat();
    return records.length === 2 && records;
  });
  expect(batches).toMatchObject([
    {
      eventName: 'INSERT',
      eventSource: 'aws:dynamodb',
      dynamodb: { Keys: { id: { S: 'a' } }, NewImage: { n: { N: '1' } } },
    },
    {
      eventName: 'MODIFY',
      dynamodb: { OldImage: { n: { N: '1' } }, NewImage: { n: { N: '2' } }, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    },
  ]);
  expect(batches[0]).toMatchObject({
    eventSourceARN: expect.stringMatching(/^arn:aws:dynamodb:us-east-1:123456789012:table\/small-table\/stream\/.+$/),
    awsRegion: 'us-east-1',
  });
});

const reads = (small: SmallCloud) => small.cloud.meter.snapshot()['request:dynamodb:GetRecords'] ?? 0;

test('with-ddb: records are gathered for as long as the batching window', async () => {
  await using small = await smallCloud(streamed({ MaximumBatchingWindowInSeconds: 3 }));
  await put(small, { id: 'a' });
  const before = reads(small);
  await eventually('a is read', async () => reads(small) >= before + 2);
  await put(small, { id: 'b' });
  expect(await seen(small, (all) => all.flat().length === 2)).toEqual([['a', 'b']]);
});

test('with-ddb: a full batch does not wait for the end of its window', async () => {
  await using small = await smallCloud(streamed({ MaximumBatchingWindowInSeconds: 300, BatchSize: 2 }));
  await put(small, { id: 'a' }, { id: 'b' });
  expect(await seen(small, (all) => all.flat().length === 2)).toEqual([['a', 'b']]);
});

test('invocation-eventfiltering: records that match no filter are left out', async () => {
  const Pattern = JSON.stringify({ dynamodb: { NewImage: { kind: { S: ['media'] } } } });
  await using small = await smallCloud(streamed({ FilterCriteria: { Filters: [{ Pattern }] } }));
  await put(
    small,
    { id: 'a', kind: 'job' },
    { id: 'b', kind: 'media' },
    { id: 'c', kind: 'job' },
    { id: 'd', kind: 'media' },
  );
  const batches = await seen(small, (all) => all.flat().length >= 2);
  expect(batches.flat()).toEqual(['b', 'd']);
});

test('services-ddb-batchfailurereporting: the batch is sent again from the failed record on', async () => {
  await using small = await smallCloud(streamed({ MaximumRetryAttempts: 1 }));
  await put(small, { id: 'a' }, { id: 'b', fail: true }, { id: 'c' });
  const batches = await seen(small, (all) => all.flat().filter((id) => id === 'b').length >= 2);
  const afterFirst = batches.slice(batches.findIndex((ids) => ids.includes('b')) + 1);
  expect(afterFirst[0]?.[0]).toBe('b');
  expect(batches.flat().filter((id) => id === 'a')).toHaveLength(1);
});

test('services-ddb-errors: a bad record is isolated by bisection, dropped after its retries, and reported to the destination', async () => {
  await using small = await smallCloud(
    streamed({
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 3,
      DestinationConfig: { OnFailure: { Destination: arn('Dead') } },
    }),
  );
  await put(small, { id: 'a' }, { id: 'b', fail: true, throw: true }, { id: 'c' });
  const { Messages } = await small.sqs.send(
    new ReceiveMessageCommand({ QueueUrl: small.cloud.outputs.Dead, WaitTimeSeconds: 20 }),
  );
  const told = JSON.parse(Messages?.[0]?.Body ?? '{}');
  expect(told.requestContext.condition).toBe('RetryAttemptsExhausted');
  expect(told.DDBStreamBatchInfo.batchSize).toBe(1);
  expect(told.DDBStreamBatchInfo.startSequenceNumber).toBe(told.DDBStreamBatchInfo.endSequenceNumber);
  // The record behind the bad one is not lost.
  await seen(
    small,
    (all) => all.some((ids) => ids.length === 1 && ids[0] === 'c') || all.at(-1)?.includes('c') === true,
  );
});

test('with-ddb: after a crash the mapping continues behind the last processed record', async () => {
  await using small = await smallCloud(streamed());
  await put(small, { id: 'a' }, { id: 'b' });
  await seen(small, (all) => all.flat().length === 2);
  await put(small, { id: 'c' });
  await seen(small, (all) => all.flat().length === 3);
  // Its checkpoint is written after the function's answer.
  await small.cloud.close();
  await small.crashAndRestart();
  await put(small, { id: 'd' });
  const batches = await seen(small, (all) => all.flat().includes('d'));
  expect(batches.flat()).toEqual(['a', 'b', 'c', 'd']);
});

test("with-ddb, permissions: a function's role that may not read the stream is refused at boot", async () => {
  await expect(smallCloud(streamed({}, READ.slice(1)))).rejects.toThrow(
    /the role of small-function does not have permissions to call dynamodb:DescribeStream/,
  );
});
