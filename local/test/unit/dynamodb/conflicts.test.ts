import { expect, test } from 'vitest';
import { boot, type Fixture, item, key, TABLE, tempDir, until } from '../../support/dynamodb-world.ts';

const HOUR = 3600 * 1000;
const ONGOING = {
  status: 400,
  body: {
    __type: 'com.amazonaws.dynamodb.v20120810#TransactionConflictException',
    message: 'Transaction is ongoing for the item',
  },
};
const UPDATE = { UpdateExpression: 'SET n = :n', ExpressionAttributeValues: { ':n': { N: '1' } } };

/** A table in which a transaction takes until the clock is put forward. */
const slow = async (): Promise<Fixture> =>
  boot(
    await tempDir(),
    TABLE,
    () => 0,
    () => HOUR,
  );

const putBoth = (fixture: Fixture, ...names: string[]) =>
  fixture.send('TransactWriteItems', {
    TransactItems: names.map((name) => ({ Put: { TableName: 'media', Item: item(name) } })),
  });
const putOne = (fixture: Fixture, name: string) => fixture.send('PutItem', { TableName: 'media', Item: item(name) });

test.each([
  ['PutItem', { Item: item('a') }],
  ['UpdateItem', { Key: key('a'), ...UPDATE }],
  ['DeleteItem', { Key: key('a') }],
])('%s of an item in a transaction under way is refused, and accepted after it', async (operation, input) => {
  const fixture = await slow();
  const transaction = putBoth(fixture, 'a', 'b');
  const write = () => fixture.send(operation, { TableName: 'media', ...input });

  await until(async () => ((await write()).status === 400 ? true : undefined));
  expect(await write()).toEqual(ONGOING);
  expect((await putOne(fixture, 'c')).status).toBe(200);

  fixture.clock.advance(HOUR);
  expect((await transaction).status).toBe(200);
  expect((await write()).status).toBe(200);
});

test('a write of an item that a transaction only checks is refused, too', async () => {
  const fixture = await slow();
  const transaction = fixture.send('TransactWriteItems', {
    TransactItems: [
      { Put: { TableName: 'media', Item: item('a') } },
      { ConditionCheck: { TableName: 'media', Key: key('b'), ConditionExpression: 'attribute_not_exists(pk)' } },
    ],
  });
  await until(async () => ((await putOne(fixture, 'a')).status === 400 ? true : undefined));
  expect(await putOne(fixture, 'b')).toEqual(ONGOING);
  fixture.clock.advance(HOUR);
  expect((await transaction).status).toBe(200);
});

test('the second of two transactions that share an item is cancelled, and the reason names the item', async () => {
  const fixture = await slow();
  const first = putBoth(fixture, 'a', 'b');
  await until(async () => ((await putOne(fixture, 'a')).status === 400 ? true : undefined));

  expect(await putBoth(fixture, 'c', 'b')).toEqual({
    status: 400,
    body: {
      __type: 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException',
      message:
        'Transaction cancelled, please refer cancellation reasons for specific reasons [None, TransactionConflict]',
      CancellationReasons: [
        { Code: 'None' },
        { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' },
      ],
    },
  });
  fixture.clock.advance(HOUR);
  expect((await first).status).toBe(200);
});

test('the items of a cancelled transaction can be written at once', async () => {
  const fixture = await boot(await tempDir());
  await putOne(fixture, 'a');
  const ConditionExpression = 'attribute_not_exists(pk)';
  const TransactItems = [{ Put: { TableName: 'media', Item: item('a'), ConditionExpression } }];
  expect((await fixture.send('TransactWriteItems', { TransactItems })).status).toBe(400);
  expect((await putOne(fixture, 'a')).status).toBe(200);
});
