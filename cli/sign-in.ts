import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Profile } from './config.ts';
import { CliError, EXIT } from './exit.ts';
import { openInBrowser } from './open.ts';
import { discover, grant } from './token.ts';

/** An issuer accepts only redirects that its client names: this one, `http://localhost:8912/callback`. */
const PORT = 8912;
const WAIT_MS = 5 * 60_000;

/** A person signs in with the browser: authorization code with PKCE (RFC 7636), answered to a port of this machine. */
export async function signIn(
  profile: Profile,
  scopes: readonly string[],
  note: (line: string) => void,
): Promise<NonNullable<Profile['token']>> {
  const { authorization_endpoint: endpoint } = await discover(profile);
  if (!endpoint) throw new CliError(EXIT.usage, 'The issuer has no sign-in page. Use --client-secret for a machine.');
  const verifier = randomBytes(32).toString('base64url');
  const state = randomBytes(16).toString('base64url');
  const redirect = `http://localhost:${PORT}/callback`;
  const url = new URL(endpoint);
  url.search = new URLSearchParams({
    response_type: 'code',
    client_id: profile.clientId ?? '',
    redirect_uri: redirect,
    scope: ['openid', ...scopes].join(' '),
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  const answer = listen(state);
  note(`Sign in at:\n${url}`);
  await openInBrowser(url.toString());
  const token = await grant(profile, {
    grant_type: 'authorization_code',
    client_id: profile.clientId ?? '',
    code: await answer,
    redirect_uri: redirect,
    code_verifier: verifier,
  });
  return {
    access: token.access_token,
    expiresAt: Date.now() + token.expires_in * 1000,
    ...(token.refresh_token && { refresh: token.refresh_token }),
  };
}

/** The code that the browser brings back. */
async function listen(state: string): Promise<string> {
  const server = createServer();
  const result = new Promise<string>((resolve, reject) => {
    server.on('request', (request, response) => {
      const url = new URL(request.url ?? '/', 'http://localhost');
      const code = url.searchParams.get('code');
      if (url.pathname !== '/callback' || url.searchParams.get('state') !== state) return response.writeHead(404).end();
      response.writeHead(200, { 'Content-Type': 'text/plain' }).end(code ? 'Done. Close this page.' : 'Refused.');
      if (code) resolve(code);
      else reject(new CliError(EXIT.denied, `The issuer refused: ${url.searchParams.get('error') ?? 'no code'}`));
    });
    setTimeout(() => reject(new CliError(EXIT.denied, 'Nobody signed in within 5 minutes.')), WAIT_MS).unref();
  });
  server.listen(PORT, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await result;
  } finally {
    server.close();
    server.closeAllConnections();
  }
}
