import { mkdtemp, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Clock } from '../../../kernel/clock.ts';
import { checkJwt, IssuerKeys } from '../../../services/apigateway/jwt.ts';
import { type Cognito, startCognito } from '../../../services/cognito/service.ts';

const ISSUER = 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_abc';
const resources = {
  userPools: [{ id: 'us-east-1_abc', issuer: ISSUER, properties: { UserPoolTier: 'ESSENTIALS' } }],
  clients: [
    {
      id: 'machine',
      properties: {
        UserPoolId: 'us-east-1_abc',
        AllowedOAuthFlows: ['client_credentials'],
        AllowedOAuthFlowsUserPoolClient: true,
        AllowedOAuthScopes: ['dropreel/operator'],
        GenerateSecret: true,
      },
    },
  ],
  resourceServers: [
    {
      id: 'dropreel',
      properties: {
        UserPoolId: 'us-east-1_abc',
        Identifier: 'dropreel',
        Name: 'dropreel',
        Scopes: [
          { ScopeName: 'creator', ScopeDescription: '' },
          { ScopeName: 'operator', ScopeDescription: '' },
        ],
      },
    },
  ],
  domains: [{ id: 'domain', properties: { UserPoolId: 'us-east-1_abc', Domain: 'dropreel-1' } }],
};

const DEVELOPER = { accessKeyId: 'AKIALOCAL', secretAccessKey: 'secret' };

let dir: string;
let cognito: Cognito;
const clock = new Clock();
const up = () => startCognito({ dir, clock, log: () => {} }, { ...resources, developer: DEVELOPER, port: 0 });
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cognito-'));
  cognito = await up();
});
afterAll(async () => {
  await cognito.close();
  await rm(dir, { recursive: true });
});

function tokenFor(form: Record<string, string>, authorization?: string) {
  return fetch(cognito.tokenUrl, {
    method: 'POST',
    headers: authorization ? { authorization } : {},
    body: new URLSearchParams(form),
  });
}
const basic = (secret = cognito.clientSecret('machine')) => `Basic ${btoa(`machine:${secret}`)}`;
const authorization = `Basic ${btoa('AKIALOCAL:secret')}`;
const developer = (body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${cognito.url}/dev/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization, ...headers },
    body: JSON.stringify(body),
  });

async function claimsOf(response: Response, scopes: string[] = []): Promise<Record<string, string>> {
  const { access_token } = (await response.json()) as { access_token: string };
  const { claims } = await checkJwt({
    authorization: access_token,
    authorizer: { issuer: ISSUER, audience: ['machine'] },
    scopes,
    keys: new IssuerKeys(cognito.locate, () => clock.now()),
    now: clock.now() + 1000,
  });
  return claims;
}

test('a machine gets a token for its client id and secret that the authorizer accepts', async () => {
  const response = await tokenFor({ grant_type: 'client_credentials', scope: 'dropreel/operator' }, basic());
  expect(response.status).toBe(200);
  const body = await response.clone().json();
  expect(body).toEqual({ access_token: expect.any(String), expires_in: 3600, token_type: 'Bearer' });
  expect(await claimsOf(response, ['dropreel/operator'])).toMatchObject({
    sub: 'machine',
    client_id: 'machine',
    iss: ISSUER,
    scope: 'dropreel/operator',
    token_use: 'access',
    version: '2',
  });
});

test('id and secret may be in the body, and a request without scopes gets all scopes of the client', async () => {
  const response = await tokenFor({
    grant_type: 'client_credentials',
    client_id: 'machine',
    client_secret: cognito.clientSecret('machine'),
  });
  expect((await claimsOf(response)).scope).toBe('dropreel/operator');
});

test.each([
  ['a wrong secret', { grant_type: 'client_credentials' }, () => basic('x'.repeat(52)), 'invalid_client'],
  ['an unknown client', { grant_type: 'client_credentials' }, () => `Basic ${btoa('other:x')}`, 'invalid_client'],
  ['another grant', { grant_type: 'password' }, basic, 'unsupported_grant_type'],
  [
    'a scope that the client has not',
    { grant_type: 'client_credentials', scope: 'dropreel/creator' },
    basic,
    'invalid_scope',
  ],
] as const)('%s is refused', async (_title, form, authorization, error) => {
  const response = await tokenFor(form, authorization());
  expect([response.status, await response.json()]).toEqual([400, { error }]);
});

test('a developer gets the token of a creator', async () => {
  const response = await developer({ username: 'ada', scopes: ['dropreel/creator'] });
  expect(await claimsOf(response, ['dropreel/creator'])).toMatchObject({
    username: 'ada',
    client_id: 'machine',
    token_use: 'access',
    sub: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/),
  });
});

test('a developer token requires a creator id and an existing scope', async () => {
  expect((await developer({ username: 'a b', scopes: ['dropreel/creator'] })).status).toBe(400);
  expect((await developer({ username: 'ada', scopes: ['dropreel/root'] })).status).toBe(400);
});

test.each([
  ['no credentials', ''],
  ['another secret', `Basic ${btoa('AKIALOCAL:other')}`],
  ['another access key', `Basic ${btoa('AKIAOTHER:secret')}`],
  ['the secret alone', `Basic ${btoa('secret')}`],
])('a request with %s gets no developer token', async (_, given) => {
  const response = await developer({ username: 'ada', scopes: ['dropreel/creator'] }, { authorization: given });
  expect([response.status, await response.json()]).toEqual([
    401,
    { error: "not the developer's access key and secret" },
  ]);
});

test('a web page gets no developer token, neither by a simple request nor by a name that resolves to loopback', async () => {
  const body = { username: 'ada', scopes: ['dropreel/creator'] };
  expect((await developer(body, { 'content-type': 'text/plain' })).status).toBe(415);
  const status = await new Promise((resolve) => {
    const sent = request(`${cognito.url}/dev/token`, {
      method: 'POST',
      headers: { host: 'evil.example', 'content-type': 'application/json', authorization },
    });
    sent.once('response', (response) => resolve(response.resume().statusCode)).end(JSON.stringify(body));
  });
  expect(status).toBe(403);
});

test.each(['//', '//[', 'http://', 'http://['])('a path that no URL can have, %s, is not found', async (path) => {
  const { port } = new URL(cognito.url);
  const status = await new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path }, (response) => resolve(response.resume().statusCode));
    sent.on('error', reject).end();
  });
  expect(status).toBe(404);
});

test('key and secrets survive a restart, and are readable by this user only', async () => {
  const before = [cognito.clientSecret('machine'), await jwks()];
  await cognito.close();
  cognito = await up();
  expect([cognito.clientSecret('machine'), await jwks()]).toEqual(before);
  expect((await stat(join(dir, 'secrets.json'))).mode & 0o777).toBe(0o600);
});

test('the published key has no private part', async () => {
  expect(Object.keys((await jwks()).keys[0] ?? {}).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'use']);
});

async function jwks(): Promise<{ keys: object[] }> {
  const discovery = await fetch(`${cognito.locate(ISSUER)}/.well-known/openid-configuration`);
  const { jwks_uri, issuer } = (await discovery.json()) as { jwks_uri: string; issuer: string };
  expect(issuer).toBe(ISSUER);
  return (await fetch(jwks_uri)).json() as Promise<{ keys: object[] }>;
}
