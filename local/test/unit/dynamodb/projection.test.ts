import { expect, test } from 'vitest';
import { boot, item, TABLE, tempDir } from '../../support/dynamodb-world.ts';

const ROW = item('a', { todo: { S: 'job' }, title: { S: 'Talk' }, state: { S: 'ready' } });

/** The same table with an index of another projection. */
function projecting(Projection: (typeof TABLE.properties.GlobalSecondaryIndexes)[number]['Projection']) {
  const [index] = TABLE.properties.GlobalSecondaryIndexes;
  if (!index) throw new Error('the table has no index');
  return { ...TABLE, properties: { ...TABLE.properties, GlobalSecondaryIndexes: [{ ...index, Projection }] } };
}

const ofIndex = {
  TableName: 'media',
  IndexName: 'todo',
  KeyConditionExpression: 'todo = :x',
  ExpressionAttributeValues: { ':x': { S: 'job' } },
};

test.each([
  { Projection: { ProjectionType: 'KEYS_ONLY' as const }, read: ['pk', 'sk', 'todo'] },
  {
    Projection: { ProjectionType: 'INCLUDE' as const, NonKeyAttributes: ['state'] },
    read: ['pk', 'sk', 'state', 'todo'],
  },
  { Projection: { ProjectionType: 'ALL' as const }, read: ['pk', 'sk', 'state', 'title', 'todo'] },
])('an index contains what it projects and no more: $Projection.ProjectionType', async ({ Projection, read }) => {
  const { send } = await boot(await tempDir(), projecting(Projection));
  await send('PutItem', { TableName: 'media', Item: ROW });
  const { body } = await send('Query', ofIndex);
  expect((body.Items as object[]).map((row) => Object.keys(row).sort())).toEqual([read]);
});

const BEYOND = 'One or more parameter values were invalid: ';

test.each([
  [{ ProjectionExpression: 'pk, title' }, 'Global secondary index todo does not project [title]'],
  [
    { ProjectionExpression: '#s.detail', ExpressionAttributeNames: { '#s': 'state' } },
    'Global secondary index todo does not project [state]',
  ],
  [{ Select: 'ALL_ATTRIBUTES' }, 'Select type ALL_ATTRIBUTES is not supported for global secondary index todo because'],
  [
    { FilterExpression: 'begins_with(title, :x) OR NOT pk IN (:x)' },
    'Secondary index todo does not project one or more filter attributes: [title]',
  ],
])('a request for an attribute that the index does not project is refused: %o', async (more, message) => {
  const { send } = await boot(await tempDir());
  await send('PutItem', { TableName: 'media', Item: ROW });
  const { status, body } = await send('Query', { ...ofIndex, ...more });
  expect([status, body.message]).toEqual([400, expect.stringContaining(`${BEYOND}${message}`)]);
});

test('a request for projected attributes is answered: keys of the index, keys of the table, and included attributes', async () => {
  const { send } = await boot(await tempDir(), projecting({ ProjectionType: 'INCLUDE', NonKeyAttributes: ['state'] }));
  await send('PutItem', { TableName: 'media', Item: ROW });
  const { body } = await send('Query', {
    ...ofIndex,
    ProjectionExpression: 'pk, #state',
    FilterExpression: '#state = :ready AND attribute_exists(sk)',
    ExpressionAttributeNames: { '#state': 'state' },
    ExpressionAttributeValues: { ':x': { S: 'job' }, ':ready': { S: 'ready' } },
  });
  expect(body.Items).toEqual([{ pk: { S: 'a' }, state: { S: 'ready' } }]);
});
