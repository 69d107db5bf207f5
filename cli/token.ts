import { z } from 'zod';
import { SCOPES } from '../core/contracts/http/system.ts';
import { printableLine } from '../core/contracts/text.ts';
import { type Profile, saveProfile } from './config.ts';
import { CliError, EXIT } from './exit.ts';
import { safeUrl } from './url.ts';

const TokenAnswer = z.object({
  access_token: z.string(),
  expires_in: z.number().default(3600),
  refresh_token: z.string().optional(),
});

/** For a local cloud that was killed, and left its cloud.json. */
export const NOT_RUNNING = 'The local cloud is not running. Start it with `npm run dev`.';

/** A token is renewed this many milliseconds before its end. */
const MARGIN_MS = 60_000;
const cache = new Map<string, { access: string; expiresAt: number }>();

/**
 * DROPREEL_TOKEN as it is, unless the API is that of a cloud.json; else a development token, client credentials, or what `login` left,
 * renewed when it is due.
 */
export async function tokenFor(profile: Profile): Promise<string> {
  // A token is for the API that the user chose, and the user does not choose a file that was found.
  if (process.env.DROPREEL_TOKEN && profile.cloudFile === undefined) return process.env.DROPREEL_TOKEN;
  const known = cache.get(profile.name) ?? profile.token;
  if (known && known.expiresAt - MARGIN_MS > Date.now()) return known.access;
  const answer = await fresh(profile);
  const token = {
    access: answer.access_token,
    expiresAt: Date.now() + answer.expires_in * 1000,
    ...((answer.refresh_token ?? profile.token?.refresh) && {
      refresh: answer.refresh_token ?? profile.token?.refresh,
    }),
  };
  cache.set(profile.name, token);
  if (profile.token?.refresh) await saveProfile({ ...profile, token }, false);
  return token.access;
}

async function fresh(profile: Profile): Promise<z.infer<typeof TokenAnswer>> {
  const { clientId, clientSecret, token } = profile;
  if (profile.local && profile.issuerUrl && profile.developer) {
    const scopes = profile.asCreator ? [SCOPES.creator] : Object.values(SCOPES);
    const body = JSON.stringify({ username: profile.creatorId, scopes });
    const { accessKeyId, secretAccessKey } = profile.developer;
    const Authorization = `Basic ${btoa(`${accessKeyId}:${secretAccessKey}`)}`;
    const headers = { 'Content-Type': 'application/json', Authorization };
    return ask(`${profile.issuerUrl}/dev/token`, headers, body).catch((error: unknown) => {
      if (!(error instanceof CliError && error.exitCode === EXIT.unreachable)) throw error;
      throw new CliError(EXIT.unreachable, NOT_RUNNING);
    });
  }
  if (clientId && clientSecret) {
    // Without a scope Cognito grants all scopes of the client, and refuses a request for more; Entra and Okta require one.
    const form = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret };
    const scope = profile.scope ?? (profile.creatorId && SCOPES.creator);
    return grant(profile, { ...form, ...(scope && { scope }), ...audienceOf(profile) });
  }
  if (clientId && token?.refresh) {
    return grant(profile, { grant_type: 'refresh_token', client_id: clientId, refresh_token: token.refresh });
  }
  throw new CliError(EXIT.denied, `Not logged in to ${profile.apiUrl}. Run: dropreel login`);
}

/** Auth0 issues tokens for an API only when the request names it, at the sign-in page as for a machine. */
export function audienceOf({ audience }: Profile): { audience?: string } {
  return audience === undefined ? {} : { audience };
}

export async function grant(profile: Profile, form: Record<string, string>): Promise<z.infer<typeof TokenAnswer>> {
  const url = profile.tokenUrl ?? (await discover(profile)).token_endpoint;
  return ask(url, { 'Content-Type': 'application/x-www-form-urlencoded' }, new URLSearchParams(form).toString());
}

const Discovery = z.object({ authorization_endpoint: z.string().optional(), token_endpoint: z.string() });

export async function discover({ issuerUrl }: Profile): Promise<z.infer<typeof Discovery>> {
  if (!issuerUrl)
    throw new CliError(EXIT.usage, 'The issuer is not known: pass --issuer URL (or set DROPREEL_ISSUER).');
  const url = `${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(safeUrl(url), { signal: AbortSignal.timeout(10_000) }).catch(() => null);
  if (!response?.ok) throw new CliError(EXIT.unreachable, `No OpenID configuration at ${url}.`);
  return Discovery.parse(await response.json());
}

async function ask(url: string, headers: Record<string, string>, body: string): Promise<z.infer<typeof TokenAnswer>> {
  // A redirect would forward the secret.
  const request = { method: 'POST', headers, body, redirect: 'error', signal: AbortSignal.timeout(10_000) } as const;
  const response = await fetch(safeUrl(url), request).catch((cause: unknown) => {
    throw new CliError(EXIT.unreachable, `${url} cannot be reached: ${String(cause)}`);
  });
  if (!response.ok) {
    throw new CliError(
      EXIT.denied,
      `${url} gave no token (${response.status}): ${printableLine((await response.text()).slice(0, 300))}`,
    );
  }
  return TokenAnswer.parse(await response.json());
}
