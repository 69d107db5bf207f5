import { z } from 'zod';
import { SCOPES } from '../core/contracts/api.ts';
import { type Profile, saveProfile } from './config.ts';
import { CliError, EXIT } from './exit.ts';

const TokenAnswer = z.object({
  access_token: z.string(),
  expires_in: z.number().default(3600),
  refresh_token: z.string().optional(),
});

/** A token is renewed this many milliseconds before its end. */
const MARGIN_MS = 60_000;
const cache = new Map<string, { access: string; expiresAt: number }>();

/** DROPREEL_TOKEN as it is; else a development token, client credentials, or what `login` left, renewed when it is due. */
export async function tokenFor(profile: Profile): Promise<string> {
  if (process.env.DROPREEL_TOKEN) return process.env.DROPREEL_TOKEN;
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
  if (profile.local && profile.issuerUrl) {
    const body = JSON.stringify({ creatorId: profile.creatorId, scopes: Object.values(SCOPES) });
    return ask(`${profile.issuerUrl}/dev/token`, { 'Content-Type': 'application/json' }, body);
  }
  if (clientId && clientSecret) {
    const scope = profile.creatorId ? SCOPES.creator : Object.values(SCOPES).join(' ');
    return grant(profile, {
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
      scope,
    });
  }
  if (clientId && token?.refresh) {
    return grant(profile, { grant_type: 'refresh_token', client_id: clientId, refresh_token: token.refresh });
  }
  throw new CliError(EXIT.denied, `Not logged in to ${profile.apiUrl}. Run: dropreel login`);
}

export async function grant(profile: Profile, form: Record<string, string>): Promise<z.infer<typeof TokenAnswer>> {
  const url = profile.tokenUrl ?? (await discover(profile)).token_endpoint;
  return ask(url, { 'Content-Type': 'application/x-www-form-urlencoded' }, new URLSearchParams(form).toString());
}

const Discovery = z.object({ authorization_endpoint: z.string().optional(), token_endpoint: z.string() });

export async function discover({ issuerUrl }: Profile): Promise<z.infer<typeof Discovery>> {
  if (!issuerUrl) throw new CliError(EXIT.usage, 'The issuer is not known: give --issuer URL (or DROPREEL_ISSUER).');
  const url = `${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) }).catch(() => null);
  if (!response?.ok) throw new CliError(EXIT.unreachable, `No OpenID configuration at ${url}.`);
  return Discovery.parse(await response.json());
}

async function ask(url: string, headers: Record<string, string>, body: string): Promise<z.infer<typeof TokenAnswer>> {
  const request = { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) };
  const response = await fetch(url, request).catch((cause: unknown) => {
    throw new CliError(EXIT.unreachable, `${url} cannot be reached: ${String(cause)}`);
  });
  if (!response.ok) {
    throw new CliError(
      EXIT.denied,
      `${url} gave no token (${response.status}): ${(await response.text()).slice(0, 300)}`,
    );
  }
  return TokenAnswer.parse(await response.json());
}
