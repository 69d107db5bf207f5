import { expect, test } from 'vitest';
import { boot, type Fixture, item, key, TABLE, tempDir, until } from '../../support/dynamodb-world.ts';

const HOUR = 3600 * 1000;
const lag = () => HOUR;

async function listed({ send }: Fixture, todo: string): Promise<string[]> {
  const { body } = await send('Query', {
    TableName: 'media',
    IndexName: 'todo',
    KeyConditionExpression: 'todo = :todo',
    ExpressionAttributeValues: { ':todo': { S: todo } },
  });
  return (body.Items as { pk: { S: string } }[]).map(({ pk }) => pk.S);
}

const shows = (fixture: Fixture, todo: string, expected: string[]) =>
  until(async () => (JSON.stringify(await listed(fixture, todo)) === JSON.stringify(expected) ? true : undefined));

const todo = (value: string) => ({ todo: { S: value } });
const put = (fixture: Fixture, pk: string, value: string) =>
  fixture.send('PutItem', { TableName: 'media', Item: item(pk, todo(value)) });

test('an index shows a write after a delay, and the table shows it at once', async () => {
  const fixture = await boot(await tempDir(), TABLE, lag);
  await put(fixture, 'a', 'submit');
  expect(await listed(fixture, 'submit')).toEqual([]);
  expect((await fixture.send('GetItem', { TableName: 'media', Key: key('a') })).body.Item).toEqual(
    item('a', todo('submit')),
  );
  fixture.clock.advance(HOUR);
  await shows(fixture, 'submit', ['a']);
});

test('a moved or removed item stays under its old key of the index for a while', async () => {
  const fixture = await boot(await tempDir(), TABLE, lag);
  await put(fixture, 'a', 'submit');
  await put(fixture, 'b', 'submit');
  fixture.clock.advance(HOUR);
  await shows(fixture, 'submit', ['a', 'b']);
  await fixture.send('UpdateItem', {
    TableName: 'media',
    Key: key('a'),
    UpdateExpression: 'SET todo = :todo',
    ExpressionAttributeValues: { ':todo': { S: 'publish' } },
  });
  await fixture.send('TransactWriteItems', { TransactItems: [{ Delete: { TableName: 'media', Key: key('b') } }] });
  expect(await listed(fixture, 'submit')).toEqual(['a', 'b']);
  expect(await listed(fixture, 'publish')).toEqual([]);
  fixture.clock.advance(HOUR);
  await shows(fixture, 'publish', ['a']);
  await shows(fixture, 'submit', []);
});

test('after a boot the index shows late writes, and no removed items', async () => {
  const dir = await tempDir();
  const before = await boot(dir, TABLE, lag);
  await put(before, 'a', 'submit');
  before.clock.advance(HOUR);
  await shows(before, 'submit', ['a']);
  await before.send('DeleteItem', { TableName: 'media', Key: key('a') });
  await before.send('BatchWriteItem', {
    RequestItems: { media: [{ PutRequest: { Item: item('b', todo('submit')) } }] },
  });
  await before.dynamodb.close();
  expect(await listed(await boot(dir, TABLE, lag), 'submit')).toEqual(['b']);
});

test('an expired item is removed from the index, too', async () => {
  const half = HOUR / 2;
  const fixture = await boot(await tempDir(), TABLE, () => half);
  const expiresAt = { N: String(Math.floor(fixture.clock.now() / 1000) + 1) };
  await fixture.send('PutItem', { TableName: 'media', Item: item('a', { ...todo('submit'), expiresAt }) });
  fixture.clock.advance(half);
  await shows(fixture, 'submit', ['a']);
  // Expiry is at work once an hour.
  fixture.clock.advance(half);
  await until(async () => {
    const { body } = await fixture.send('GetItem', { TableName: 'media', Key: key('a') });
    return body.Item ? undefined : true;
  });
  expect(await listed(fixture, 'submit')).toEqual(['a']);
  fixture.clock.advance(half);
  await shows(fixture, 'submit', []);
});
