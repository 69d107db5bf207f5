/**
 * The used part of Cognito: an issuer of access tokens, with its own server on loopback.
 *
 *     const cognito = await startCognito(context, {
 *       userPools, clients, resourceServers, domains, // { id, properties }: id is what Ref gives, intrinsics resolved
 *       port,
 *     });
 *     cognito.locate(issuer)          // for the API's authorizer: where that issuer's openid configuration is
 *     cognito.tokenUrl                // POST, client credentials
 *     cognito.clientSecret(clientId)
 *
 * `GET /{poolId}/.well-known/openid-configuration` and `…/jwks.json`, `POST /oauth2/token`, and, for development only,
 * `POST /dev/token` with `{"username": "ada", "scopes": ["library/write"]}`: a token as that person would get by signing
 * in. It requires the developer's access key and secret as user and password (Basic), because other users can reach loopback too.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { z } from 'zod';
import type { Credentials, ServiceContext } from '../../kernel/account.ts';
import { listen } from '../../kernel/http-server.ts';
import { IssuerSecrets } from './keys.ts';
import { type Client, type CognitoResources, readCognito, type UserPool } from './template.ts';
import { machineToken, personToken } from './tokens.ts';

const MAX_BODY = 64 * 1024;

export interface Cognito {
  url: string;
  tokenUrl: string;
  /** Base URL of an issuer's openid configuration; the issuer itself when it is not one of these pools. */
  locate(issuer: string): string;
  /** @throws Error when there is no such client, or it has no secret */
  clientSecret(clientId: string): string;
  close(): Promise<void>;
}

interface Answer {
  status: number;
  body: unknown;
}

/** An OAuth error, RFC 6749 section 5.2. */
class OAuthError extends Error {
  override readonly name = 'OAuthError';
}

/** @throws Error naming the resource that cannot be served */
export async function startCognito(
  context: ServiceContext,
  configuration: CognitoResources & { developer: Credentials; port: number },
): Promise<Cognito> {
  const { pools, clients } = readCognito(configuration);
  const { developer } = configuration;
  const secrets = await IssuerSecrets.open(context.dir);
  const handler: RequestListener = (incoming, outgoing) => {
    answer(incoming, {
      pools,
      clients,
      secrets,
      developer,
      url,
      nowSeconds: Math.floor(context.clock.now() / 1000),
    })
      .catch((error: unknown): Answer => {
        if (error instanceof OAuthError) return { status: 400, body: { error: error.message } };
        context.log(`cognito: ${error}`);
        return { status: 500, body: { error: 'server_error' } };
      })
      .then(({ status, body }) => {
        outgoing.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
        outgoing.end(JSON.stringify(body));
      });
  };
  const { url, close } = await listen(handler, { port: configuration.port, pages: 'own' });
  return {
    url,
    tokenUrl: `${url}/oauth2/token`,
    locate(issuer) {
      const pool = pools.find((it) => it.issuer === issuer);
      return pool ? `${url}/${pool.id}` : issuer;
    },
    clientSecret(clientId) {
      const client = clients.find(({ id }) => id === clientId);
      if (!client?.hasSecret) throw new Error(`no user pool client ${clientId} with a secret`);
      return secrets.clientSecret(clientId);
    },
    close,
  };
}

interface RequestContext {
  pools: UserPool[];
  clients: Client[];
  secrets: IssuerSecrets;
  developer: Credentials;
  url: string;
  nowSeconds: number;
}

async function answer(incoming: IncomingMessage, context: RequestContext): Promise<Answer> {
  // `URL` does not take every path that a request may have, for example `//`.
  const [pathname = '/'] = (incoming.url ?? '/').split('?');
  const [, poolId, rest] = /^\/([^/]+)\/(\.well-known\/.+)$/.exec(pathname) ?? [];
  const pool = context.pools.find(({ id }) => id === poolId);
  if (incoming.method === 'GET' && pool && rest === '.well-known/jwks.json') {
    return { status: 200, body: { keys: [context.secrets.jwk()] } };
  }
  if (incoming.method === 'GET' && pool && rest === '.well-known/openid-configuration') {
    return { status: 200, body: discovery(pool, context.url) };
  }
  if (incoming.method === 'POST' && pathname === '/oauth2/token') {
    return { status: 200, body: clientCredentials(incoming, await readBody(incoming), context) };
  }
  if (incoming.method === 'POST' && pathname === '/dev/token') {
    return developerToken(incoming, await readBody(incoming), context);
  }
  return { status: 404, body: { error: 'not_found' } };
}

function discovery(pool: UserPool, url: string): unknown {
  return {
    issuer: pool.issuer,
    jwks_uri: `${url}/${pool.id}/.well-known/jwks.json`,
    token_endpoint: `${url}/oauth2/token`,
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'token'],
    scopes_supported: pool.scopes,
    subject_types_supported: ['public'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  };
}

/** https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html */
function clientCredentials(incoming: IncomingMessage, body: string, context: RequestContext): unknown {
  const form = new URLSearchParams(body);
  const [basicId, basicSecret] = basicOf(incoming);
  const client = context.clients.find(({ id }) => id === (basicId || form.get('client_id')));
  if (!client?.hasSecret) throw new OAuthError('invalid_client');
  const secret = basicSecret || (form.get('client_secret') ?? '');
  if (!sameText(secret, context.secrets.clientSecret(client.id))) throw new OAuthError('invalid_client');
  if (form.get('grant_type') !== 'client_credentials') throw new OAuthError('unsupported_grant_type');
  if (!client.mayUseClientCredentials) throw new OAuthError('unauthorized_client');
  const scopes = form.get('scope')?.split(' ').filter(Boolean) ?? client.scopes;
  if (!scopes.every((scope) => client.scopes.includes(scope))) throw new OAuthError('invalid_scope');
  const { secrets, nowSeconds } = context;
  return machineToken(secrets, client, { scopes, nowSeconds });
}

/** What Cognito takes. https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminCreateUser.html */
const Username = z
  .string()
  .max(128)
  .regex(/^[\p{L}\p{M}\p{S}\p{N}\p{P}]+$/u);

const DeveloperRequest = z.strictObject({ username: Username, scopes: z.array(z.string()).min(1) });

function developerToken(incoming: IncomingMessage, body: string, context: RequestContext): Answer {
  if (incoming.headers['content-type'] !== 'application/json') return { status: 415, body: { error: 'send JSON' } };
  const [accessKeyId, secretAccessKey] = basicOf(incoming);
  const { developer } = context;
  if (!sameText(accessKeyId, developer.accessKeyId) || !sameText(secretAccessKey, developer.secretAccessKey)) {
    return { status: 401, body: { error: "not the developer's access key and secret" } };
  }
  const [client] = context.clients;
  const request = DeveloperRequest.safeParse(parse(body));
  if (!client) return { status: 404, body: { error: 'the template has no user pool client' } };
  if (!request.success) return { status: 400, body: { error: z.prettifyError(request.error) } };
  const { username, scopes } = request.data;
  const unknown = scopes.filter((scope) => !client.pool.scopes.includes(scope));
  if (unknown.length > 0)
    return { status: 400, body: { error: `no resource server has the scope ${unknown.join(', ')}` } };
  const { secrets, nowSeconds } = context;
  return { status: 200, body: personToken(secrets, client, { username, scopes, nowSeconds }) };
}

/** User and password of the Authorization header, empty when there are none. */
function basicOf(incoming: IncomingMessage): [string, string] {
  const basic = /^Basic (.+)$/i.exec(incoming.headers.authorization ?? '')?.[1];
  return basic ? splitOnce(Buffer.from(basic, 'base64').toString('utf8')) : ['', ''];
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of incoming.setEncoding('utf8')) {
    text += chunk;
    if (text.length > MAX_BODY) throw new OAuthError('invalid_request');
  }
  return text;
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf(':');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
