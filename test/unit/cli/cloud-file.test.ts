import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { findCloud } from '../../../cli/cloud-file.ts';
import { resolveProfile } from '../../../cli/config.ts';
import { tokenFor } from '../../../cli/token.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'dropreel-found-'));
  vi.stubEnv('XDG_CONFIG_HOME', join(home, 'config'));
  vi.spyOn(process, 'cwd').mockReturnValue(home);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await rm(home, { recursive: true, force: true });
});

const CLOUD = {
  apiUrl: 'http://127.0.0.1:1',
  issuerUrl: 'http://127.0.0.1:2',
  credentials: { accessKeyId: 'AKIALOCAL', secretAccessKey: 'secret' },
};
async function place(cloud: object | string = CLOUD) {
  const directory = join(home, '.dropreel');
  const file = join(directory, 'cloud.json');
  await mkdir(directory, { mode: 0o700 });
  await writeFile(file, typeof cloud === 'string' ? cloud : JSON.stringify(cloud), { mode: 0o600 });
  return { directory, file };
}
async function find() {
  const notes: string[] = [];
  const found = await findCloud(home, (line) => notes.push(line));
  return { found, notes };
}

it('is used where only its user can have written it', async () => {
  const { file } = await place();
  expect(await find()).toMatchObject({ found: { apiUrl: 'http://127.0.0.1:1', file }, notes: [] });
});

it.each([
  ['its file can be read by others, as one of a clone or an archive', 'file', 0o644],
  ['its file can be written by a group', 'file', 0o660],
  ['its directory can be written by all, as /tmp', 'directory', 0o777],
  ['its directory can be written by a group', 'directory', 0o770],
] as const)('is not used when %s', async (_, which, mode) => {
  const places = await place();
  await chmod(places[which], mode);
  expect(await find()).toEqual({
    found: null,
    notes: [`${places.file} is not used: it, or its directory, is open to others or another user's.`],
  });
});

it.runIf(process.getuid?.() === 0).each(['file', 'directory'] as const)(
  "is not used when its %s is another user's",
  async (which) => {
    const places = await place();
    await chown(places[which], 65_534, 65_534);
    expect((await find()).found).toBeNull();
  },
);

it.each([
  ['an API elsewhere', { ...CLOUD, apiUrl: 'https://evil.example' }],
  ['an API whose name begins like this machine', { ...CLOUD, apiUrl: 'http://127.0.0.1.evil.example' }],
  ['an API behind user information', { ...CLOUD, apiUrl: 'http://127.0.0.1@evil.example' }],
  ['an issuer elsewhere', { ...CLOUD, issuerUrl: 'https://evil.example' }],
  ['a token endpoint elsewhere', { ...CLOUD, issuerUrl: null, outputs: { TokenUrl: 'https://evil.example/token' } }],
  ['no credentials', { apiUrl: CLOUD.apiUrl }],
  ['half a file', '{"apiUrl":"http'],
])('is not used when it names %s', async (_, cloud) => {
  const { file } = await place(cloud);
  expect(await find()).toEqual({ found: null, notes: [`${file} does not name a local cloud: it is not used.`] });
});

/** A local issuer that notes what it was sent. */
async function issuer() {
  const received: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    received.push(request.headers.authorization);
    response.end(JSON.stringify({ access_token: 'of the local cloud' }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received };
}

it('never gets the token of the environment, which belongs to the API that the user names', async () => {
  const { url, received } = await issuer();
  await place({ ...CLOUD, issuerUrl: url });
  vi.stubEnv('DROPREEL_TOKEN', 'PROD');
  vi.stubEnv('DROPREEL_CLIENT_SECRET', 'PROD');
  expect(await tokenFor(await resolveProfile({}))).toBe('of the local cloud');
  expect(received).toEqual([`Basic ${btoa('AKIALOCAL:secret')}`]);
  expect(await tokenFor(await resolveProfile({ endpoint: 'https://api.example.com' }))).toBe('PROD');
});

it('that outlived its cloud is reported as such', async () => {
  await place({ ...CLOUD, issuerUrl: 'http://127.0.0.1:9' });
  await expect(tokenFor({ ...(await resolveProfile({})), name: 'stale' })).rejects.toMatchObject({
    exitCode: 6,
    message: 'The local cloud is not running. Start it with `npm run dev`.',
  });
});
