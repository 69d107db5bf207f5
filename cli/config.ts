import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { CliError, EXIT } from './exit.ts';

/** Which API to talk to, and how to get a token for it. */
export const Profile = z.object({
  name: z.string(),
  apiUrl: z.string(),
  /** OIDC issuer; of a local cloud, where development tokens come from. */
  issuerUrl: z.string().nullish(),
  /** A local cloud gives tokens to whoever asks on this machine. */
  local: z.boolean().default(false),
  /** For a local cloud: whose token. */
  creatorId: z.string().optional(),
  clientId: z.string().optional(),
  clientSecret: z.string().optional(),
  tokenUrl: z.string().optional(),
  token: z.object({ access: z.string(), expiresAt: z.number(), refresh: z.string().optional() }).optional(),
});
export type Profile = z.infer<typeof Profile>;

const ConfigFile = z.object({ current: z.string().optional(), profiles: z.record(z.string(), Profile).default({}) });
type ConfigFile = z.infer<typeof ConfigFile>;

/** Written by `npm run dev`. */
const CloudFile = z
  .object({
    apiUrl: z.string(),
    issuerUrl: z.string().nullish(),
    outputs: z.object({ TokenUrl: z.string().optional() }).optional(),
  })
  .transform(({ apiUrl, issuerUrl, outputs }) => ({
    apiUrl,
    // The local issuer's token endpoint and its development tokens have one origin.
    issuerUrl: issuerUrl ?? (outputs?.TokenUrl && new URL(outputs.TokenUrl).origin),
  }));
/** Of development tokens. */
const LOCAL_CREATOR = 'me';

export function configDir(): string {
  return join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'dropreel');
}

export function stateDir(): string {
  return join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'dropreel');
}

/**
 * In this order: --endpoint, DROPREEL_ENDPOINT, --profile, DROPREEL_PROFILE, the local cloud that runs in this directory or
 * one above it, the profile of the last login.
 */
export async function resolveProfile(options: { endpoint?: string; profile?: string; as?: string }): Promise<Profile> {
  const endpoint = options.endpoint ?? process.env.DROPREEL_ENDPOINT;
  const creatorId = options.as ?? process.env.DROPREEL_CREATOR ?? LOCAL_CREATOR;
  if (endpoint) {
    const found = await findCloud(process.cwd());
    const local =
      found && sameUrl(found.apiUrl, endpoint) ? { issuerUrl: found.issuerUrl, local: true, creatorId } : {};
    const known = Object.values((await readConfig()).profiles).find((profile) => sameUrl(profile.apiUrl, endpoint));
    return withEnvironment(known ?? { name: endpoint, apiUrl: trim(endpoint), local: false, ...local });
  }
  const config = await readConfig();
  const named = options.profile ?? process.env.DROPREEL_PROFILE;
  if (named) {
    const profile = config.profiles[named];
    if (!profile)
      throw new CliError(
        EXIT.usage,
        `There is no profile ${named}. Make it with: dropreel login --profile ${named} --endpoint URL`,
      );
    return withEnvironment(profile);
  }
  const found = await findCloud(process.cwd());
  if (found) {
    const { issuerUrl } = found;
    return { name: 'local', apiUrl: trim(found.apiUrl), issuerUrl, local: true, creatorId };
  }
  const current = config.profiles[config.current ?? ''];
  if (current) return withEnvironment(current);
  throw new CliError(
    EXIT.usage,
    'No API is known. Start a local cloud with `npm run dev`, or: dropreel login --endpoint URL (or set DROPREEL_ENDPOINT).',
  );
}

function withEnvironment(profile: Profile): Profile {
  const { DROPREEL_CLIENT_ID, DROPREEL_CLIENT_SECRET, DROPREEL_TOKEN_URL, DROPREEL_ISSUER } = process.env;
  return {
    ...profile,
    ...(DROPREEL_CLIENT_ID && { clientId: DROPREEL_CLIENT_ID }),
    ...(DROPREEL_CLIENT_SECRET && { clientSecret: DROPREEL_CLIENT_SECRET }),
    ...(DROPREEL_TOKEN_URL && { tokenUrl: DROPREEL_TOKEN_URL }),
    ...(DROPREEL_ISSUER && { issuerUrl: DROPREEL_ISSUER }),
  };
}

async function findCloud(from: string): Promise<z.infer<typeof CloudFile> | null> {
  for (let dir = resolve(from); ; dir = dirname(dir)) {
    const text = await readFile(join(dir, '.dropreel', 'cloud.json'), 'utf8').catch(() => null);
    if (text !== null) return CloudFile.parse(JSON.parse(text));
    if (dir === dirname(dir)) return null;
  }
}

export async function readConfig(): Promise<ConfigFile> {
  const text = await readFile(join(configDir(), 'config.json'), 'utf8').catch(() => '{}');
  return ConfigFile.parse(JSON.parse(text));
}

/** Keeps a profile, readable by its owner only. `current` makes it the one that is used by default. */
export async function saveProfile(profile: Profile, current: boolean): Promise<void> {
  const config = await readConfig();
  const profiles = { ...config.profiles, [profile.name]: profile };
  await writeJson(join(configDir(), 'config.json'), { ...config, ...(current && { current: profile.name }), profiles });
}

/** Whole or not at all. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(temporary, path);
}

function trim(url: string): string {
  return url.replace(/\/+$/, '');
}

function sameUrl(a: string, b: string): boolean {
  return trim(a) === trim(b);
}
