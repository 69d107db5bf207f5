import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { IssuerKeys } from '../../../services/apigateway/jwt.ts';
import { type ApiWorld, startApi } from '../../support/api-world.ts';

let api: ApiWorld;
beforeAll(async () => {
  api = await startApi({ routes: [{ key: 'GET /me', jwt: true }] });
});
beforeEach(() => {
  api.events.length = 0;
});
afterAll(() => api.close());

const call = (token: string | undefined) =>
  fetch(`${api.url}/me`, { headers: token === undefined ? {} : { authorization: token } });
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(api.clock.now() / 1000);

test.each([
  ['no token at all', () => undefined],
  ['a text that is not a token', () => 'Bearer hello'],
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
  // Properties that every object has.
  ...['constructor', 'toString', '__proto__', 'hasOwnProperty'].map((alg): [string, () => string] => [
    `alg ${alg}`,
    () => api.token({}, { alg }),
  ]),
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

test('a valid token is accepted, with Bearer or without, with aud or client_id, and the keys are fetched once', async () => {
  expect((await call(`Bearer ${api.token()}`)).status).toBe(200);
  expect((await call(api.token())).status).toBe(200);
  expect((await call(api.token({ aud: ['other', 'client-2'], client_id: undefined }))).status).toBe(200);
  expect(api.fetches()).toBe(1);
});

test('a key set of more than 150,000 bytes is not read', async () => {
  let padding = '';
  const server = createServer((request, response) => {
    const configuration = { jwks_uri: `${url}/keys` };
    response.end(JSON.stringify(request.url === '/keys' ? { keys: [], padding } : configuration));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const key = () => new IssuerKeys((issuer) => issuer, Date.now).key(url, 'key-1');
  expect(await key()).toBeUndefined();
  padding = 'x'.repeat(150_000);
  await expect(key()).rejects.toThrow(/answered 1500\d\d bytes/);
  server.close();
});
