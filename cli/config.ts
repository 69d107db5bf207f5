import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Credentials, type FoundCloud, findCloud } from './cloud-file.ts';
import { CliError, EXIT } from './exit.ts';
import { safeUrl } from './url.ts';

/** Which API to talk to, and how to get a token for it. */
export const Profile = z.object({
  name: z.string(),
  apiUrl: z.string(),
  /** OIDC issuer; for a local cloud, the source of development tokens. */
  issuerUrl: z.string().nullish(),
  /** A local cloud issues tokens to every client on this machine. */
  local: z.boolean().default(false),
  /** For a local cloud: the creator whose token is used. */
  creatorId: z.string().optional(),
  /** For a local cloud: that creator is named, so the token has the creator's scope only. Otherwise it has the operator's too. */
  asCreator: z.boolean().optional(),
  /** For a local cloud: its developer's AWS credentials, in exchange for which it issues tokens. */
  developer: Credentials.optional(),
  /** The cloud.json that named this API. No credential that the user has for another API may be sent there. */
  cloudFile: z.string().optional(),
  /** Where that cloud keeps its state. */
  stateDir: z.string().optional(),
  clientId: z.string().optional(),
  clientSecret: z.string().optional(),
  tokenUrl: z.string().optional(),
  /** The scope requested from the issuer, as the issuer names it: `openid api://…/media.use`. Default: dropreel's own scopes. */
  scope: z.string().optional(),
  /** The API's audience, for an issuer that requires it (Auth0). */
  audience: z.string().optional(),
  token: z.object({ access: z.string(), expiresAt: z.number(), refresh: z.string().optional() }).optional(),
});
export type Profile = z.infer<typeof Profile>;

const ConfigFile = z.object({ current: z.string().optional(), profiles: z.record(z.string(), Profile).default({}) });
type ConfigFile = z.infer<typeof ConfigFile>;

/** The creator of development tokens. */
const LOCAL_CREATOR = 'me';

export function configDir(): string {
  return join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'dropreel');
}

export function stateDir(): string {
  return join(process.env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'dropreel');
}

/**
 * In this order: --endpoint, DROPREEL_ENDPOINT, --profile, DROPREEL_PROFILE, the local cloud that runs in this directory or one above it,
 * the profile of the last login.
 * @param note receives a line about a cloud.json that is not used
 * @throws CliError also for an API that is neither https nor on this machine
 */
export async function resolveProfile(
  options: { endpoint?: string; profile?: string; as?: string },
  note: (line: string) => void = () => {},
): Promise<Profile> {
  const profile = await chooseProfile(options, note);
  safeUrl(profile.apiUrl);
  return profile;
}

async function chooseProfile(
  options: { endpoint?: string; profile?: string; as?: string },
  note: (line: string) => void,
): Promise<Profile> {
  const endpoint = options.endpoint ?? process.env.DROPREEL_ENDPOINT;
  const creatorId = options.as ?? process.env.DROPREEL_CREATOR;
  if (endpoint) {
    const found = await findCloud(process.cwd(), note);
    const local = found && sameUrl(found.apiUrl, endpoint) ? localProfile(found, creatorId) : {};
    const known = Object.values((await readConfig()).profiles).find((profile) => sameUrl(profile.apiUrl, endpoint));
    return withEnvironment(known ?? { local: false, ...local, name: endpoint, apiUrl: trim(endpoint) });
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
  const found = await findCloud(process.cwd(), note);
  if (found) return { ...localProfile(found, creatorId), cloudFile: found.file };
  const current = config.profiles[config.current ?? ''];
  if (current) return withEnvironment(current);
  throw new CliError(
    EXIT.usage,
    'No API is known. Start a local cloud with `npm run dev`, or: dropreel login --endpoint URL (or set DROPREEL_ENDPOINT).',
  );
}

function localProfile({ apiUrl, issuerUrl, developer, stateDir }: FoundCloud, named: string | undefined): Profile {
  const who = { creatorId: named ?? LOCAL_CREATOR, asCreator: named !== undefined };
  return { name: 'local', apiUrl, issuerUrl, developer, local: true, ...who, stateDir };
}

function withEnvironment(profile: Profile): Profile {
  const { DROPREEL_CLIENT_ID, DROPREEL_CLIENT_SECRET, DROPREEL_TOKEN_URL, DROPREEL_ISSUER } = process.env;
  const { DROPREEL_SCOPE, DROPREEL_AUDIENCE } = process.env;
  return {
    ...profile,
    ...(DROPREEL_CLIENT_ID && { clientId: DROPREEL_CLIENT_ID }),
    ...(DROPREEL_CLIENT_SECRET && { clientSecret: DROPREEL_CLIENT_SECRET }),
    ...(DROPREEL_TOKEN_URL && { tokenUrl: DROPREEL_TOKEN_URL }),
    ...(DROPREEL_ISSUER && { issuerUrl: DROPREEL_ISSUER }),
    ...(DROPREEL_SCOPE && { scope: DROPREEL_SCOPE }),
    ...(DROPREEL_AUDIENCE && { audience: DROPREEL_AUDIENCE }),
  };
}

export async function readConfig(): Promise<ConfigFile> {
  const text = await readFile(join(configDir(), 'config.json'), 'utf8').catch(() => '{}');
  return ConfigFile.parse(JSON.parse(text));
}

/** Saves a profile, readable by its owner only. `current` makes it the default. */
export async function saveProfile(profile: Profile, current: boolean): Promise<void> {
  const config = await readConfig();
  const profiles = { ...config.profiles, [profile.name]: profile };
  await writeJson(join(configDir(), 'config.json'), { ...config, ...(current && { current: profile.name }), profiles });
}

/** Writes the file whole or not at all. */
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
