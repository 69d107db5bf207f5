import { createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';
import { z } from 'zod';
import type { Authorizer } from './template.ts';

/** https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html */

export interface Jwt {
  /** Claims as in the event: every value as text. */
  claims: Record<string, string>;
  /** Null on a route without required scopes. */
  scopes: string[] | null;
}

/** Refusal of a token: `unauthorized` is a 401, `forbidden` (no scope of the route) a 403. */
export class JwtRefused extends Error {
  override readonly name = 'JwtRefused';
  readonly kind: 'unauthorized' | 'forbidden';

  constructor(kind: 'unauthorized' | 'forbidden', message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Only RSA signatures are accepted: `none` and HS256 would let anyone sign. */
const HASHES = new Map([
  ['RS256', 'RSA-SHA256'],
  ['RS384', 'RSA-SHA384'],
  ['RS512', 'RSA-SHA512'],
]);
/** Characters. A longer token is refused without decoding; API Gateway accepts 10,240 bytes of headers in all. */
const MAX_TOKEN = 8192;
const KEYS_MS = 2 * 3600 * 1000;
/** Bytes of a key set. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html */
const MAX_KEY_SET = 150_000;
/** API Gateway waits 1500 ms (same page). Longer here, because a test's own issuer may be slow on a busy machine. */
const ISSUER_TIMEOUT_MS = 5000;

const Header = z.object({ alg: z.string(), kid: z.string() });
const Claims = z.looseObject({
  iss: z.string(),
  aud: z.union([z.string(), z.array(z.string())]).optional(),
  client_id: z.string().optional(),
  exp: z.number(),
  nbf: z.number().optional(),
  iat: z.number().optional(),
  scope: z.string().optional(),
  scp: z.union([z.string(), z.array(z.string())]).optional(),
});
const Discovery = z.object({ jwks_uri: z.string() });
const KeySet = z.object({ keys: z.array(z.looseObject({ kid: z.string(), kty: z.string() })) });

/** The keys of issuers, fetched from their OpenID configuration and cached for two hours. */
export class IssuerKeys {
  readonly #locate: (issuer: string) => string;
  readonly #now: () => number;
  readonly #cache = new Map<string, { at: number; keys: Promise<Map<string, KeyObject>> }>();

  /** @param locate returns the base URL of an issuer's `/.well-known/openid-configuration` */
  constructor(locate: (issuer: string) => string, now: () => number) {
    this.#locate = locate;
    this.#now = now;
  }

  async key(issuer: string, kid: string): Promise<KeyObject | undefined> {
    let cached = this.#cache.get(issuer);
    if (!cached || this.#now() - cached.at > KEYS_MS) {
      cached = { at: this.#now(), keys: fetchKeys(this.#locate(issuer)) };
      this.#cache.set(issuer, cached);
      cached.keys.catch(() => this.#cache.delete(issuer));
    }
    return (await cached.keys).get(kid);
  }
}

/** @throws JwtRefused */
export async function checkJwt(options: {
  authorization: string | undefined;
  authorizer: Authorizer;
  /** The token must have one of them, unless the list is empty. */
  scopes: readonly string[];
  keys: IssuerKeys;
  /** Milliseconds since the epoch. */
  now: number;
}): Promise<Jwt> {
  const { authorization, authorizer, keys } = options;
  if (!authorization) throw new JwtRefused('unauthorized', 'no token');
  const token = authorization.replace(/^Bearer\s+/i, '');
  if (token.length > MAX_TOKEN) throw new JwtRefused('unauthorized', 'the token is too long');
  const [head = '', body = '', signature = '', ...rest] = token.split('.');
  const header = Header.safeParse(decode(head));
  const claims = Claims.safeParse(decode(body));
  if (rest.length > 0 || !header.success || !claims.success)
    throw new JwtRefused('unauthorized', 'the token is malformed');

  const hash = HASHES.get(header.data.alg);
  if (!hash) throw new JwtRefused('unauthorized', 'the signing method is not supported');
  const key = await keys.key(authorizer.issuer, header.data.kid).catch(() => undefined);
  if (!key) throw new JwtRefused('unauthorized', 'the signing key is unknown');
  if (!verify(hash, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))) {
    throw new JwtRefused('unauthorized', 'the signature is invalid');
  }
  checkClaims(claims.data, authorizer, options.now / 1000);

  const { scope = '', scp = [] } = claims.data;
  const granted = [...scope.split(' '), ...(typeof scp === 'string' ? scp.split(' ') : scp)].filter(Boolean);
  if (options.scopes.length > 0 && !options.scopes.some((scope) => granted.includes(scope))) {
    throw new JwtRefused('forbidden', options.scopes.join(' '));
  }
  return { claims: asText(claims.data), scopes: options.scopes.length > 0 ? granted : null };
}

function checkClaims(claims: z.infer<typeof Claims>, { issuer, audience }: Authorizer, now: number): void {
  if (claims.iss !== issuer) throw new JwtRefused('unauthorized', 'the issuer is not accepted');
  // client_id counts only if there is no aud.
  const audiences = claims.aud === undefined ? [claims.client_id ?? ''] : [claims.aud].flat();
  if (!audiences.some((it) => audience.includes(it)))
    throw new JwtRefused('unauthorized', 'the audience is not accepted');
  if (claims.exp <= now) throw new JwtRefused('unauthorized', 'the token has expired');
  if (claims.nbf !== undefined && claims.nbf > now) throw new JwtRefused('unauthorized', 'the token is not valid yet');
  if (claims.iat !== undefined && claims.iat > now)
    throw new JwtRefused('unauthorized', 'the token was issued later than now');
}

/** API Gateway passes claims as text; a list as `[a b]`. */
function asText(claims: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(claims).map(([name, value]) => {
      if (Array.isArray(value)) return [name, `[${value.join(' ')}]`];
      return [name, typeof value === 'object' ? JSON.stringify(value) : String(value)];
    }),
  );
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

async function fetchKeys(url: string): Promise<Map<string, KeyObject>> {
  const { jwks_uri } = Discovery.parse(await getJson(`${url.replace(/\/$/, '')}/.well-known/openid-configuration`));
  const { keys } = KeySet.parse(await getJson(jwks_uri));
  const rsa = keys.filter(({ kty }) => kty === 'RSA');
  return new Map(rsa.map((jwk) => [jwk.kid, createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })]));
}

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(ISSUER_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const bytes = await response.arrayBuffer();
  if (bytes.byteLength > MAX_KEY_SET) throw new Error(`${url} answered ${bytes.byteLength} bytes`);
  return JSON.parse(Buffer.from(bytes).toString('utf8'));
}
