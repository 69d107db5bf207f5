import { createSign, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Clock } from '../../kernel/clock.ts';
import { Meter } from '../../kernel/meter.ts';
import type { Principal } from '../../kernel/service.ts';
import { startHttpApi } from '../../services/apigateway/service.ts';

const ISSUER = 'https://issuer.example.com/pool';
const FUNCTION = 'arn:aws:lambda:us-east-1:123456789012:function:api';

export interface RouteOptions {
  key: string;
  scopes?: string[];
  jwt?: boolean;
}

export interface ApiWorld {
  url: string;
  meter: Meter;
  clock: Clock;
  /** What the function was given. */
  events: Record<string, unknown>[];
  principals: Principal[];
  /** What the function does next; by default it answers with `{}`. */
  answer(handler: (event: Record<string, unknown>) => unknown): void;
  /** A token that the API takes, with these claims and this header in place of its own. */
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>): string;
  /** How often the issuer's keys were fetched. */
  fetches(): number;
  close(): Promise<void>;
}

/** An HTTP API in front of a function that is played here, with an issuer of its own. */
export async function startApi(options: {
  routes: RouteOptions[];
  cors?: Record<string, unknown>;
  timeoutMs?: number;
}): Promise<ApiWorld> {
  const dir = await mkdtemp(join(tmpdir(), 'http-api-'));
  const clock = new Clock();
  const meter = new Meter();
  const issuer = await startIssuer();
  const events: Record<string, unknown>[] = [];
  const principals: Principal[] = [];
  let handler: (event: Record<string, unknown>) => unknown = () => ({});
  const api = await startHttpApi(
    { dir, clock, log: () => {} },
    {
      api: {
        id: 'abc123',
        properties: { Name: 'api', ProtocolType: 'HTTP', ...(options.cors && { CorsConfiguration: options.cors }) },
      },
      routes: options.routes.map(({ key, scopes, jwt }) => ({
        id: key,
        properties: {
          ApiId: 'abc123',
          RouteKey: key,
          Target: 'integrations/int1',
          ...((jwt || scopes) && { AuthorizationType: 'JWT', AuthorizerId: 'jwt' }),
          ...(scopes && { AuthorizationScopes: scopes }),
        },
      })),
      integrations: [
        {
          id: 'int1',
          properties: {
            ApiId: 'abc123',
            IntegrationType: 'AWS_PROXY',
            IntegrationUri: FUNCTION,
            PayloadFormatVersion: '2.0',
            ...(options.timeoutMs && { TimeoutInMillis: options.timeoutMs }),
          },
        },
      ],
      authorizers: [
        {
          id: 'jwt',
          properties: {
            ApiId: 'abc123',
            Name: 'Jwt',
            AuthorizerType: 'JWT',
            IdentitySource: ['$request.header.Authorization'],
            JwtConfiguration: { Audience: ['client-1', 'client-2'], Issuer: ISSUER },
          },
        },
      ],
      stages: [{ id: '$default', properties: { ApiId: 'abc123', StageName: '$default', AutoDeploy: true } }],
      async invoke(_arn, event, principal) {
        events.push(event as Record<string, unknown>);
        principals.push(principal);
        const result = await handler(event as Record<string, unknown>);
        if (result instanceof Error) return { ok: false, error: { errorMessage: result.message, errorType: 'Error' } };
        return { ok: true, payload: typeof result === 'string' ? result : JSON.stringify(result) };
      },
      locateIssuer: () => issuer.url,
      meter,
      port: 0,
    },
  );
  return {
    url: api.url,
    meter,
    clock,
    events,
    principals,
    answer(next) {
      handler = next;
    },
    token: (claims = {}, header = {}) => {
      const now = Math.floor(clock.now() / 1000);
      return issuer.sign(
        { alg: 'RS256', kid: 'key-1', ...header },
        { iss: ISSUER, sub: 'ada', client_id: 'client-1', iat: now, exp: now + 3600, scope: 'a/read', ...claims },
      );
    },
    fetches: issuer.fetches,
    async close() {
      await api.close();
      await issuer.close();
      await rm(dir, { recursive: true });
    },
  };
}

async function startIssuer() {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  let fetches = 0;
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    if (path.endsWith('/jwks.json')) fetches += 1;
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'RS256', use: 'sig' };
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify(path.endsWith('/jwks.json') ? { keys: [jwk] } : { issuer: ISSUER, jwks_uri: `${url}/jwks.json` }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    fetches: () => fetches,
    sign(header: Record<string, unknown>, claims: Record<string, unknown>): string {
      const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const signed = `${part(header)}.${part(claims)}`;
      return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
