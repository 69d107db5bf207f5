import { spawn } from 'node:child_process';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sqlite from 'node-sqlite3-wasm';
import { expect, test } from 'vitest';
import { boot, item, key, STREAM_ARN, TABLE, TABLE_ARN, tempDir, until } from '../../support/dynamodb-world.ts';

test('an item is present after the cloud was closed and booted again', async () => {
  const dir = await tempDir();
  const first = await boot(dir);
  await first.send('PutItem', { TableName: 'media', Item: item('a') });
  await first.dynamodb.close();

  const second = await boot(dir);

  expect(await second.send('GetItem', { TableName: 'media', Key: key('a') })).toEqual({
    status: 200,
    body: { Item: item('a') },
  });
});

test('a failed condition is answered as AWS does', async () => {
  const { send } = await boot(await tempDir());
  await send('PutItem', { TableName: 'media', Item: item('a') });

  const answer = await send('PutItem', {
    TableName: 'media',
    Item: item('a'),
    ConditionExpression: 'attribute_not_exists(pk)',
  });

  expect(answer).toEqual({
    status: 400,
    body: {
      __type: 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
      message: 'The conditional request failed',
    },
  });
});

test('a cancelled transaction returns the reason of each item', async () => {
  const { send } = await boot(await tempDir());
  await send('PutItem', { TableName: 'media', Item: item('a') });
  const ConditionExpression = 'attribute_not_exists(pk)';

  const answer = await send('TransactWriteItems', {
    TransactItems: [
      { Put: { TableName: 'media', Item: item('b') } },
      { Put: { TableName: 'media', Item: item('a'), ConditionExpression } },
    ],
  });

  expect(answer).toEqual({
    status: 400,
    body: {
      __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
      message: expect.stringMatching(/\[None, ConditionalCheckFailed\]$/),
      CancellationReasons: [
        { Code: 'None' },
        { Code: 'ConditionalCheckFailed', Message: 'The conditional request failed' },
      ],
    },
  });
});

test('text is returned unchanged: line separators, control characters, surrogate pairs', async () => {
  const { send } = await boot(await tempDir());
  const title = { S: 'a\u2028b\u2029c\u0085\n\r\u0000"\\ 🎬 é' };
  await send('PutItem', { TableName: 'media', Item: item('a', { title }) });
  const large = { S: 'é'.repeat(150_000) };
  await send('PutItem', { TableName: 'media', Item: item('b', { large }) });

  const answers = await Promise.all(['a', 'b'].map((id) => send('GetItem', { TableName: 'media', Key: key(id) })));

  expect(answers.map(({ body }) => body.Item)).toEqual([item('a', { title }), item('b', { large })]);
});

test.each([
  ['GetItem', { ReturnConsumedCapacity: 'TOTAL' }, 'ReturnConsumedCapacity of GetItem is not served'],
  [
    'DeleteItem',
    { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' },
    'ReturnValuesOnConditionCheckFailure ALL_OLD is not served',
  ],
])('a parameter of %s that the database does not support is refused by name', async (operation, more, message) => {
  const { send } = await boot(await tempDir());
  const { status, body } = await send(operation, { TableName: 'media', Key: key('a'), ...more });
  expect([status, body.message]).toEqual([400, expect.stringContaining(message)]);
});

test('a consistent read of an index is refused, and one of the table is not', async () => {
  const { send } = await boot(await tempDir());
  const query = { TableName: 'media', ConsistentRead: true, ExpressionAttributeValues: { ':x': { S: 'a' } } };
  const ofTable = await send('Query', { ...query, KeyConditionExpression: 'pk = :x' });
  const ofIndex = await send('Query', { ...query, IndexName: 'todo', KeyConditionExpression: 'todo = :x' });
  expect(ofTable.status).toBe(200);
  expect(ofIndex.body).toEqual({
    __type: 'com.amazonaws.dynamodb.v20120810#ValidationException',
    message: 'Consistent reads are not supported on global secondary indexes',
  });
});

// Linux tells what listens, and whose it is.
test.runIf(process.platform === 'linux')(
  'the database listens on no port, so that neither users nor web pages of the machine reach it',
  async () => {
    const { dir } = await boot(await tempDir());
    const pid = await readFile(join(dir, 'dynoxide.pid'), 'utf8');
    const links = await Promise.all(
      (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')),
    );
    const sockets = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
    const listed = await Promise.all(
      ['tcp', 'tcp6', 'udp', 'udp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
    );
    // The tenth column is the socket's number.
    const owned = listed
      .flatMap((text) => text.split('\n'))
      .filter((line) => sockets.has(line.trim().split(/\s+/)[9] ?? ''));
    expect(owned).toEqual([]);
  },
);

test.each([
  ['GetItem', { TableName: 'media', Key: key('a') }, [`dynamodb:GetItem ${TABLE_ARN}`]],
  ['GetItem', { TableName: TABLE_ARN, Key: key('a') }, [`dynamodb:GetItem ${TABLE_ARN}`]],
  [
    'Query',
    {
      TableName: 'media',
      IndexName: 'todo',
      KeyConditionExpression: 'todo = :t',
      ExpressionAttributeValues: { ':t': { S: 'job' } },
    },
    [`dynamodb:Query ${TABLE_ARN}/index/todo`],
  ],
  [
    'TransactWriteItems',
    {
      TransactItems: [
        { Put: { TableName: 'media', Item: item('t') } },
        { Delete: { TableName: TABLE_ARN, Key: key('u') } },
        { ConditionCheck: { TableName: 'media', Key: key('v'), ConditionExpression: 'attribute_not_exists(pk)' } },
      ],
    },
    [`dynamodb:PutItem ${TABLE_ARN}`, `dynamodb:DeleteItem ${TABLE_ARN}`, `dynamodb:ConditionCheckItem ${TABLE_ARN}`],
  ],
  [
    'BatchWriteItem',
    { RequestItems: { media: [{ PutRequest: { Item: item('w') } }] } },
    [`dynamodb:BatchWriteItem ${TABLE_ARN}`],
  ],
])('%s requires its own permissions on the table or index that it names (%#)', async (operation, input, expected) => {
  const fixture = await boot(await tempDir());

  const allowed = await fixture.send(operation, input);
  const denied = await fixture.send(operation, input, false);

  expect(fixture.checks.slice(0, expected.length)).toEqual(expected);
  expect(allowed.status).toBe(200);
  expect(denied).toEqual({
    status: 400,
    body: {
      __type: 'com.amazon.coral.service#AccessDeniedException',
      message: `may not ${expected[0]?.split(' ')[0]}`,
    },
  });
});

test('a batch that names its table by ARN is answered with the ARN', async () => {
  const { send } = await boot(await tempDir());
  await send('PutItem', { TableName: 'media', Item: item('a') });

  const { body } = await send('BatchGetItem', { RequestItems: { [TABLE_ARN]: { Keys: [key('a')] } } });

  expect(body.Responses).toEqual({ [TABLE_ARN]: [item('a')] });
});

test('unsupported operations are refused by name', async () => {
  const { send } = await boot(await tempDir());

  const { body } = await send('DeleteTable', { TableName: 'media' });

  expect(body).toEqual({
    __type: 'com.amazonaws.dynamodb.v20120810#UnknownOperationException',
    message: 'DynamoDB_20120810.DeleteTable is not served by this local DynamoDB',
  });
});

test('a table that the template does not have is not found', async () => {
  const { send } = await boot(await tempDir());

  const { body } = await send('GetItem', { TableName: 'other', Key: key('a') });

  expect(body).toEqual({
    __type: 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException',
    message: 'Requested resource not found',
  });
});

test("a table's description contains the ARNs of the template", async () => {
  const { send } = await boot(await tempDir());

  const { body } = await send('DescribeTable', { TableName: 'media' });

  expect(body.Table).toMatchObject({
    TableArn: TABLE_ARN,
    LatestStreamArn: STREAM_ARN,
    LatestStreamLabel: '2026-01-01T00:00:00.000',
    GlobalSecondaryIndexes: [{ IndexName: 'todo', IndexArn: `${TABLE_ARN}/index/todo` }],
  });
});

test('the stream is read by the ARN of the template, also after a restart', async () => {
  const dir = await tempDir();
  const first = await boot(dir);
  await first.send('PutItem', { TableName: 'media', Item: item('a') });
  const described = await first.send('DescribeStream', { StreamArn: STREAM_ARN });
  expect(described.body.StreamDescription).toMatchObject({
    StreamArn: STREAM_ARN,
    Shards: [{ ShardId: 'shardId-00000001-media', SequenceNumberRange: { StartingSequenceNumber: '1' } }],
  });
  expect(JSON.stringify(described.body)).not.toContain('EndingSequenceNumber');
  const { body: start } = await first.send('GetShardIterator', {
    StreamArn: STREAM_ARN,
    ShardId: 'shardId-00000001-media',
    ShardIteratorType: 'TRIM_HORIZON',
  });
  const { body: one } = await first.send('GetRecords', { ShardIterator: start.ShardIterator });
  expect(one.Records).toMatchObject([
    { eventName: 'INSERT', awsRegion: 'us-east-1', dynamodb: { NewImage: item('a') } },
  ]);
  expect(first.checks.slice(1)).toEqual([
    `dynamodb:DescribeStream ${STREAM_ARN}`,
    `dynamodb:GetShardIterator ${STREAM_ARN}`,
    `dynamodb:GetRecords ${STREAM_ARN}`,
  ]);
  await first.dynamodb.close();

  const second = await boot(dir);
  await second.send('DeleteItem', { TableName: 'media', Key: key('a') });

  const { body: two } = await second.send('GetRecords', { ShardIterator: one.NextShardIterator });
  expect(two.Records).toMatchObject([{ eventName: 'REMOVE', dynamodb: { OldImage: item('a') } }]);
});

test('an item is removed when the clock has passed its time to live, and one with a later time stays', async () => {
  const { send, clock } = await boot(await tempDir());
  const now = Math.floor(Date.now() / 1000);
  await send('PutItem', { TableName: 'media', Item: item('day', { expiresAt: { N: String(now + 86_400) } }) });
  await send('PutItem', { TableName: 'media', Item: item('week', { expiresAt: { N: String(now + 7 * 86_400) } }) });

  clock.advance(2 * 86_400_000);

  await until(async () => {
    const { body } = await send('GetItem', { TableName: 'media', Key: key('day') });
    return body.Item === undefined ? true : undefined;
  });
  const { body } = await send('GetItem', { TableName: 'media', Key: key('week') });
  expect(body.Item).toMatchObject(key('week'));
});

test('a database that dies is started again with every acknowledged write', async () => {
  const { send, dir, log } = await boot(await tempDir());
  await send('PutItem', { TableName: 'media', Item: item('a') });

  process.kill(Number(await readFile(join(dir, 'dynoxide.pid'), 'utf8')), 'SIGKILL');

  const body = await until(async () => {
    const answer = await send('GetItem', { TableName: 'media', Key: key('a') });
    return answer.status === 200 && log.length > 0 ? answer.body : undefined;
  });
  expect(body).toEqual({ Item: item('a') });
  expect(log).toEqual(['dynamodb: dynoxide ended (SIGKILL) and is started again']);
});

test('a database that a crashed cloud left running is ended, and another program with its process id is not', async () => {
  const dir = await tempDir();
  const first = await boot(dir);
  const pid = Number(await readFile(join(dir, 'dynoxide.pid'), 'utf8'));

  const second = await boot(dir);

  expect(second.log).toEqual(['dynamodb: ended a dynoxide that an earlier run had left behind']);
  expect(Number(await readFile(join(dir, 'dynoxide.pid'), 'utf8'))).not.toBe(pid);
  await first.dynamodb.close();
  await second.dynamodb.close();
  const bystander = spawn('sleep', ['60']);
  await writeFile(join(dir, 'dynoxide.pid'), String(bystander.pid));
  const third = await boot(dir);
  expect(third.log).toEqual([]);
  expect(bystander.signalCode).toBeNull();
  expect(process.kill(bystander.pid ?? 0, 0)).toBe(true);
  bystander.kill();
});

test('an index that is new in the template is added, with the existing items', async () => {
  const dir = await tempDir();
  const AttributeDefinitions = TABLE.properties.AttributeDefinitions.slice(0, 2);
  const properties = { ...TABLE.properties, AttributeDefinitions, GlobalSecondaryIndexes: [] };
  const before = await boot(dir, { ...TABLE, properties });
  await before.send('PutItem', { TableName: 'media', Item: item('a', { todo: { S: 'job' } }) });
  await before.dynamodb.close();

  const { send } = await boot(dir);

  const { body } = await send('Query', {
    TableName: 'media',
    IndexName: 'todo',
    KeyConditionExpression: 'todo = :t',
    ExpressionAttributeValues: { ':t': { S: 'job' } },
  });
  expect(body.Items).toEqual([item('a', { todo: { S: 'job' } })]);
});

test('a table with changed keys is refused', async () => {
  const dir = await tempDir();
  await (await boot(dir)).dynamodb.close();
  const { KeySchema } = TABLE.properties;
  const changed = { ...TABLE, properties: { ...TABLE.properties, KeySchema: KeySchema.slice(0, 1) } };

  await expect(boot(dir, changed)).rejects.toThrow(
    'the table media has the keys pk, sk, which cannot be changed: remove the state directory',
  );
});

test('a write finds the last record of the stream by an index', async () => {
  const { dir, dynamodb } = await boot(await tempDir());
  await dynamodb.close();
  const database = new sqlite.Database(join(dir, 'table.sqlite'));
  database.exec('PRAGMA locking_mode = EXCLUSIVE');
  // As dynoxide asks.
  const asked = `SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = 'media'`;
  const plan = database.all(`EXPLAIN QUERY PLAN ${asked}`).map(({ detail }) => detail);
  database.close();
  expect(plan).toEqual([expect.stringMatching(/^SEARCH .* INDEX last_record /)]);
});
