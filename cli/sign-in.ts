import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Profile } from './config.ts';
import { CliError, EXIT } from './exit.ts';
import { openInBrowser } from './open.ts';
import { audienceOf, discover, grant } from './token.ts';

/** An issuer accepts only redirects that its client names: this one, `http://localhost:8912/callback`. */
const PORT = 8912;
const WAIT_MS = 5 * 60_000;

/**
 * Signs a person in with the browser: authorization code with PKCE (RFC 7636), answered to a port of this machine.
 * @param scopes for a profile without a `scope` of its own
 */
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
    scope: profile.scope ?? ['openid', ...scopes].join(' '),
    ...audienceOf(profile),
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  // The page may answer at once, because a user who is signed in already sees no form.
  const answer = await listen(state);
  note(`Sign in at:\n${url}`);
  await openInBrowser(url.toString());
  const token = await grant(profile, {
    grant_type: 'authorization_code',
    client_id: profile.clientId ?? '',
    code: await answer.code,
    redirect_uri: redirect,
    code_verifier: verifier,
  });
  return {
    access: token.access_token,
    expiresAt: Date.now() + token.expires_in * 1000,
    ...(token.refresh_token && { refresh: token.refresh_token }),
  };
}

/** Waits for the code that the browser returns. The code is in an object because a promise of a promise is one promise. */
async function listen(state: string): Promise<{ code: Promise<string> }> {
  const server = createServer();
  const result = new Promise<string>((resolve, reject) => {
    server.on('request', (request, response) => {
      // Any page or program of this machine may call. `URL` would throw for some paths, for example `//`, and end the command.
      const [path, query = ''] = (request.url ?? '').split('?');
      const parameters = new URLSearchParams(query);
      const code = parameters.get('code');
      if (path !== '/callback' || parameters.get('state') !== state) return response.writeHead(404).end();
      response.writeHead(200, { 'Content-Type': 'text/plain' }).end(code ? 'Done. Close this page.' : 'Refused.');
      if (code) resolve(code);
      else reject(new CliError(EXIT.denied, `The issuer refused: ${parameters.get('error') ?? 'no code'}`));
    });
    setTimeout(() => reject(new CliError(EXIT.denied, 'Nobody signed in within 5 minutes.')), WAIT_MS).unref();
  });
  server.listen(PORT, '127.0.0.1');
  await once(server, 'listening').catch((cause: unknown) => {
    throw new CliError(EXIT.usage, `Port ${PORT}, to which the sign-in page answers, cannot be had: ${String(cause)}`);
  });
  const code = result.finally(() => {
    server.close();
    server.closeAllConnections();
  });
  // It may be rejected before it is awaited.
  code.catch(() => {});
  return { code };
}
