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
 * `GET /{poolId}/.well-known/openid-configuration` and `…/jwks.json`, `GET /oauth2/authorize`, `POST /oauth2/token`, `GET /logout`, and,
 * for development only, `POST /dev/token` with `{"username": "ada", "scopes": ["library/write"]}`: a token as that person would get by
 * signing in; and `POST /dev/links`, with the address of a client as `to` besides: a link that signs one browser in as that person, once.
 * Both require the developer's access key and secret as user and password (Basic), because other users can reach loopback too.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener } from 'node:http';
import { z } from 'zod';
import type { Credentials, ServiceContext } from '../../kernel/account.ts';
import { listen } from '../../kernel/http-server.ts';
import { IssuerSecrets } from './keys.ts';
import { SignInError, SignIns } from './sign-in.ts';
import { SIGN_IN_PAGE } from './sign-in-page.ts';
import { type Client, type CognitoResources, readCognito, type UserPool } from './template.ts';
import { machineToken, personToken, signedInTokens } from './tokens.ts';

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
  /** Text as it is, anything else as JSON. */
  body: unknown;
  headers?: Record<string, string>;
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
  const signIns = new SignIns(clients);
  const handler: RequestListener = (incoming, outgoing) => {
    answer(incoming, {
      signIns,
      pools,
      clients,
      secrets,
      developer,
      url,
      nowSeconds: Math.floor(context.clock.now() / 1000),
    })
      .catch((error: unknown): Answer => {
        if (error instanceof OAuthError || error instanceof SignInError)
          return { status: 400, body: { error: error.message } };
        context.log(`cognito: ${error}`);
        return { status: 500, body: { error: 'server_error' } };
      })
      .then(({ status, body, headers }) => {
        outgoing.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
        outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
  };
  // A page of another port exchanges its code here; what the developer's key is for, none has.
  const { url, close } = await listen(handler, { port: configuration.port, pages: 'loopback' });
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
  signIns: SignIns;
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
    return { status: 200, body: tokens(incoming, await readBody(incoming), context), headers: FOR_ANY_PAGE };
  }
  if (incoming.method === 'POST' && (pathname === '/dev/token' || pathname === '/dev/links')) {
    const refused = refusedDeveloper(incoming, context);
    if (refused) return refused;
    const body = parse(await readBody(incoming));
    return pathname === '/dev/token' ? developerToken(body, context) : developerLink(body, context);
  }
  if (incoming.method === 'GET' && SIGN_IN_PATHS.includes(pathname)) return { status: 200, ...SIGN_IN_PAGE };
  if (incoming.method === 'POST' && SIGN_IN_PATHS.includes(pathname)) {
    return signInStep(incoming, pathname, await readBody(incoming), context);
  }
  return { status: 404, body: { error: 'not_found' } };
}

function discovery(pool: UserPool, url: string): unknown {
  return {
    issuer: pool.issuer,
    jwks_uri: `${url}/${pool.id}/.well-known/jwks.json`,
    authorization_endpoint: `${url}/oauth2/authorize`,
    token_endpoint: `${url}/oauth2/token`,
    id_token_signing_alg_values_supported: ['RS256'],
    response_types_supported: ['code', 'token'],
    scopes_supported: pool.scopes,
    subject_types_supported: ['public'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  };
}

const FOR_ANY_PAGE = { 'access-control-allow-origin': '*' };

/** Where the page of the sign-in is, which sends its steps to the same path. */
const SIGN_IN_PATHS = ['/dev/sign-in', '/oauth2/authorize', '/logout'];
const Step = z.object({ session: z.string().default(''), link: z.string().default(''), query: z.string().default('') });

/** Of the sign-in's own page only: a page of another port has another origin. */
function signInStep(incoming: IncomingMessage, path: string, body: string, context: RequestContext): Answer {
  const { origin = context.url, 'content-type': type } = incoming.headers;
  if (type !== 'application/json' || new URL(origin).host !== incoming.headers.host) {
    return { status: 403, body: { error: 'access_denied' } };
  }
  const { session, link, query } = Step.parse(parse(body) ?? {});
  const { signIns, clients, nowSeconds } = context;
  const now = nowSeconds * 1000;
  if (path === '/dev/sign-in') return { status: 200, body: signIns.open(link, now) };
  const asked = new URLSearchParams(query);
  if (path === '/oauth2/authorize') return { status: 200, body: { to: signIns.authorize(session, asked, now) } };
  signIns.end(session);
  const to = asked.get('logout_uri') ?? '';
  const client = clients.find(({ id }) => id === asked.get('client_id'));
  return { status: 200, body: { to: client?.logoutUrls.includes(to) ? to : null } };
}

/** https://docs.aws.amazon.com/cognito/latest/developerguide/token-endpoint.html */
function tokens(incoming: IncomingMessage, body: string, context: RequestContext): unknown {
  const form = new URLSearchParams(body);
  if (!['authorization_code', 'refresh_token'].includes(form.get('grant_type') ?? '')) {
    return clientCredentials(incoming, form, context);
  }
  const { secrets, signIns, nowSeconds } = context;
  return signedInTokens(secrets, signIns.exchange(form, nowSeconds * 1000), nowSeconds);
}

function clientCredentials(incoming: IncomingMessage, form: URLSearchParams, context: RequestContext): unknown {
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

/** The answer to a request that is not the developer's. */
function refusedDeveloper(incoming: IncomingMessage, { developer }: RequestContext): Answer | undefined {
  if (incoming.headers['content-type'] !== 'application/json') return { status: 415, body: { error: 'send JSON' } };
  const [accessKeyId, secretAccessKey] = basicOf(incoming);
  if (sameText(accessKeyId, developer.accessKeyId) && sameText(secretAccessKey, developer.secretAccessKey)) {
    return undefined;
  }
  return { status: 401, body: { error: "not the developer's access key and secret" } };
}

const LinkRequest = DeveloperRequest.extend({ to: z.url() });

function developerLink(body: unknown, { signIns, url, nowSeconds }: RequestContext): Answer {
  const request = LinkRequest.safeParse(body);
  if (!request.success) return { status: 400, body: { error: z.prettifyError(request.error) } };
  const { to, ...person } = request.data;
  return { status: 200, body: { url: `${url}/dev/sign-in#${signIns.link(person, to, nowSeconds * 1000)}` } };
}

function developerToken(body: unknown, context: RequestContext): Answer {
  const [client] = context.clients;
  const request = DeveloperRequest.safeParse(body);
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
