import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encode } from './api.ts';

const KID = 'key-1';

export interface Issuer extends AsyncDisposable {
  /** As its tokens have it in `iss`. */
  url: string;
  /** A token of these claims, good for an hour, with this header in addition. */
  sign(claims: Record<string, unknown>, header?: Record<string, unknown>): string;
  /** What it grants from now on, by what was asked at the sign-in page (a person) or for client credentials (a machine). */
  grants(claims: (asked: URLSearchParams) => Record<string, unknown>): void;
}

/**
 * An OIDC issuer on loopback, with its own keys: OpenID configuration, JWKS, a sign-in page on which everybody is signed in at
 * once (authorization code, PKCE checked), and tokens.
 * @param path of the issuer's URL, with its slash at the end or without, because `iss` is compared to the letter
 */
export async function startIssuer(path: string): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const codes = new Map<string, URLSearchParams>();
  let claimsFor: (asked: URLSearchParams) => Record<string, unknown> = () => ({});

  const signed = (claims: Record<string, unknown>, header: Record<string, unknown> = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const text = `${encode({ alg: 'RS256', typ: 'JWT', kid: KID, ...header })}.${encode({ iss: url, iat: now, exp: now + 3600, ...claims })}`;
    return `${text}.${sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64url')}`;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname, searchParams } = new URL(request.url ?? '/', origin);
    const json = (status: number, body: object) =>
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    if (pathname === `${base}/.well-known/openid-configuration`) {
      const endpoints = { authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token` };
      json(200, { issuer: url, jwks_uri: `${origin}/keys`, ...endpoints });
    } else if (pathname === '/keys') {
      json(200, { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KID, use: 'sig', alg: 'RS256' }] });
    } else if (pathname === '/authorize') {
      const code = `code-${codes.size + 1}`;
      codes.set(code, searchParams);
      const redirect = new URL(searchParams.get('redirect_uri') ?? '');
      redirect.search = new URLSearchParams({ code, state: searchParams.get('state') ?? '' }).toString();
      response.writeHead(302, { Location: redirect.href }).end();
    } else if (pathname === '/token') {
      const form = new URLSearchParams(await textOf(request));
      const asked = form.get('grant_type') === 'client_credentials' ? form : askedFor(form);
      if (asked) json(200, { access_token: signed(claimsFor(asked)), expires_in: 3600, token_type: 'Bearer' });
      else json(400, { error: 'invalid_grant' });
    } else {
      json(404, {});
    }
  };

  /** What was asked on the sign-in page, when the code is redeemed by who asked. RFC 7636, section 4.6 */
  const askedFor = (form: URLSearchParams): URLSearchParams | undefined => {
    const asked = codes.get(form.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const same = ['client_id', 'redirect_uri'].every((name) => asked?.get(name) === form.get(name));
    return same && asked?.get('code_challenge') === challenge ? asked : undefined;
  };

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const base = path.replace(/\/$/, '');
  const url = `${origin}${path}`;
  return {
    url,
    sign: signed,
    grants: (claims) => {
      claimsFor = claims;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}
