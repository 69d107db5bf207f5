import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ApiError } from '../../core/api/problem.ts';
import { apiKeys } from '../../core/contracts/table/keys.ts';
import { type KeyedRequest, once, type StoredAnswer } from '../../functions/api/idempotency.ts';
import { type Services, startServices } from '../support/services.ts';

let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services[Symbol.asyncDispose]());

const request = (key: string, more: Partial<KeyedRequest> = {}): KeyedRequest => ({
  creatorId: 'ada',
  operator: false,
  key,
  target: 'POST /webhooks',
  body: { url: 'https://a.example' },
  now: Date.now(),
  ...more,
});
const answerOf = (body: unknown): StoredAnswer => ({ status: 201, body: JSON.stringify(body), headers: {} });
const may = async () => {};
const never = () => {
  throw new Error('asked twice');
};

it('a kept answer shows none of its secrets in the table', async () => {
  const answer = answerOf({ secret: 'whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH' });
  await once(services.table, request('a'), async () => answer, may);
  const hash = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb';
  const { Item = {} } = await services.table.client.send(
    new GetCommand({ TableName: services.table.name, Key: apiKeys.idempotency('ada', hash) }),
  );
  const text = Object.values(Item).map((value) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value),
  );
  expect(Object.keys(Item).sort()).toEqual(['bodyHash', 'expiresAt', 'lockedUntil', 'pk', 'sealed', 'sk', 'type']);
  expect(text.join('\n')).not.toContain('whsec_');
  expect(await once(services.table, request('a'), never, may)).toEqual({ ...answer, replayed: true });
});

it('an answer to an operator is not repeated to the same caller without that scope', async () => {
  await once(services.table, request('scope', { operator: true }), async () => answerOf(1), may);
  const lesser = once(services.table, request('scope'), never, may);
  await expect(lesser).rejects.toMatchObject({ code: 'key_reused' });
});

it('an answer is repeated only after its subject was loaded again', async () => {
  await once(services.table, request('gone'), async () => answerOf(1), may);
  const mayNot = async () => {
    throw new ApiError('not_found', 'There is no such media.');
  };
  await expect(once(services.table, request('gone'), never, mayNot)).rejects.toMatchObject({ code: 'not_found' });
});

it('an answer with 100 presigned URLs of the longest session tokens is kept', async () => {
  const token = 'IQoJb3JpZ2luX2VjEJr'.repeat(150);
  const url = (n: number) =>
    `https://b.s3.amazonaws.com/k?partNumber=${n}&X-Amz-Security-Token=${token}&X-Amz-Signature=${'0123456789abcdef'.repeat(4)}`;
  const parts = Array.from({ length: 100 }, (_, i) => ({ partNumber: i + 1, url: url(i + 1) }));
  const answer = answerOf({ parts });
  // The limit of an item is 400 KB; in the clear this answer has some 300.
  expect(answer.body.length).toBeGreaterThan(290_000);
  await once(services.table, request('parts', { body: { parts: 100 } }), async () => answer, may);
  expect(await once(services.table, request('parts', { body: { parts: 100 } }), never, may)).toMatchObject(answer);
});
