import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiWorld, startApi } from './setup.ts';

let api: ApiWorld;
beforeAll(async () => {
  api = await startApi({ routes: [{ key: 'GET /me', jwt: true }] });
});
afterAll(() => api.close());

const call = (token: string | undefined) =>
  fetch(`${api.url}/me`, { headers: token === undefined ? {} : { authorization: token } });
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(api.clock.now() / 1000);

test.each([
  ['no token at all', () => undefined],
  ['something that is no token', () => 'Bearer hello'],
  ['four parts', () => `${api.token()}.x`],
  ['an expired token', () => api.token({ exp: now() - 1 })],
  ['a token that is not valid yet', () => api.token({ nbf: now() + 60 })],
  ['a token from the future', () => api.token({ iat: now() + 60 })],
  ['a token without an expiry', () => api.token({ exp: undefined })],
  ['another issuer', () => api.token({ iss: 'https://issuer.example.com/other' })],
  ['another audience', () => api.token({ client_id: 'client-9' })],
  ['an aud that is wrong, although client_id is right', () => api.token({ aud: 'client-9' })],
  ['a key that the issuer has not', () => api.token({}, { kid: 'key-2' })],
  ['a header without kid', () => api.token({}, { kid: undefined })],
  [
    'alg none',
    () => {
      const [, body] = api.token().split('.');
      return `${part({ alg: 'none', kid: 'key-1' })}.${body}.`;
    },
  ],
  [
    'HS256 with something public as its secret',
    () => {
      const [, body] = api.token().split('.');
      const signed = `${part({ alg: 'HS256', kid: 'key-1' })}.${body}`;
      return `${signed}.${createHmac('sha256', 'key-1').update(signed).digest('base64url')}`;
    },
  ],
  [
    'claims that were changed after signing',
    () => {
      const [head, body = '', signature] = api.token().split('.');
      const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
      return `${head}.${part({ ...claims, sub: 'eve' })}.${signature}`;
    },
  ],
  ['an oversized token', () => api.token({ padding: 'x'.repeat(7000) })],
])('%s is refused', async (_title, token) => {
  const response = await call(token());
  expect(response.status).toBe(401);
  expect(await response.json()).toEqual({ message: 'Unauthorized' });
  expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
  expect(api.events).toEqual([]);
});

test('a good token passes, with Bearer or without, with aud or client_id, and the keys are fetched once', async () => {
  expect((await call(`Bearer ${api.token()}`)).status).toBe(200);
  expect((await call(api.token())).status).toBe(200);
  expect((await call(api.token({ aud: ['other', 'client-2'], client_id: undefined }))).status).toBe(200);
  expect(api.fetches()).toBe(1);
});
