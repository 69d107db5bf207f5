import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { configDir, resolveProfile, saveProfile } from '../../../cli/config.ts';

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'dropreel-config-'));
  vi.stubEnv('XDG_CONFIG_HOME', home);
  vi.spyOn(process, 'cwd').mockReturnValue(home);
  for (const name of ['ENDPOINT', 'PROFILE', 'CREATOR', 'CLIENT_ID']) vi.stubEnv(`DROPREEL_${name}`, undefined);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await rm(home, { recursive: true, force: true });
});

const deployed = { name: 'work', apiUrl: 'https://api.example.com', local: false, clientId: 'c', clientSecret: 's' };
const DEVELOPER = { accessKeyId: 'AKIALOCAL', secretAccessKey: 'secret' };
const startCloud = async () => {
  await mkdir(join(home, '.dropreel'), { mode: 0o700 });
  const outputs = { TokenUrl: 'http://127.0.0.1:2/oauth2/token' };
  await writeFile(
    join(home, '.dropreel', 'cloud.json'),
    JSON.stringify({ apiUrl: 'http://127.0.0.1:1/', issuerUrl: null, credentials: DEVELOPER, outputs }),
    { mode: 0o600 },
  );
};

describe('resolveProfile', () => {
  it('names the next step when nothing is configured', async () => {
    await expect(resolveProfile({})).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('npm run dev'),
    });
  });

  it('finds the local cloud in this directory or above it, with its issuer', async () => {
    await startCloud();
    await mkdir(join(home, 'a', 'b'), { recursive: true });
    vi.spyOn(process, 'cwd').mockReturnValue(join(home, 'a', 'b'));
    expect(await resolveProfile({})).toEqual({
      name: 'local',
      apiUrl: 'http://127.0.0.1:1',
      issuerUrl: 'http://127.0.0.1:2',
      developer: DEVELOPER,
      local: true,
      creatorId: 'me',
      asCreator: false,
      cloudFile: join(home, '.dropreel', 'cloud.json'),
    });
    expect(await resolveProfile({ as: 'ada' })).toMatchObject({ creatorId: 'ada', asCreator: true });
  });

  it('prefers the endpoint, then the named profile, then the local cloud, then the last login', async () => {
    await saveProfile(deployed, true);
    expect((await resolveProfile({})).name).toBe('work');
    await startCloud();
    expect((await resolveProfile({})).name).toBe('local');
    expect((await resolveProfile({ profile: 'work' })).name).toBe('work');
    vi.stubEnv('DROPREEL_PROFILE', 'work');
    expect((await resolveProfile({})).name).toBe('work');
    expect(await resolveProfile({ endpoint: 'http://127.0.0.1:1' })).toMatchObject({ local: true });
    vi.stubEnv('DROPREEL_ENDPOINT', 'https://api.example.com/');
    expect(await resolveProfile({})).toMatchObject({ name: 'work', clientId: 'c' });
    await expect(resolveProfile({ endpoint: '', profile: 'none' })).rejects.toMatchObject({ exitCode: 2 });
  });

  it('prefers credentials of the environment to those of the profile', async () => {
    await saveProfile(deployed, true);
    vi.stubEnv('DROPREEL_CLIENT_ID', 'other');
    expect(await resolveProfile({})).toMatchObject({ clientId: 'other', clientSecret: 's' });
  });
});

it('profiles are readable by their owner only', async () => {
  await saveProfile(deployed, true);
  expect((await stat(join(configDir(), 'config.json'))).mode & 0o777).toBe(0o600);
});

it.each([
  'http://api.example.com',
  'file:///etc/passwd',
  'ftp://localhost/',
  'nonsense',
  'http://localhost.example.com',
])('the API %s is refused, because a token would be sent unencrypted or not at all', async (endpoint) => {
  await expect(resolveProfile({ endpoint })).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('is neither https nor http on this machine'),
  });
});
