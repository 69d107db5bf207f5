import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Cloud } from '../../local/boot.ts';
import { announce, exportBlock } from '../../scripts/cloud-file.ts';

const cloud = {
  endpoint: 'http://127.0.0.1:4566',
  apiUrl: 'http://127.0.0.1:1',
  deliveryUrl: 'http://127.0.0.1:2',
  credentials: { accessKeyId: 'AKIALOCAL', secretAccessKey: 'a/b+c' },
  outputs: {},
} as unknown as Cloud;

async function place() {
  const directory = await mkdtemp(join(tmpdir(), 'dropreel-cloud-file-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return { directory, file: join(directory, '.dropreel', 'cloud.json') };
}
const read = async (file: string) => JSON.parse(await readFile(file, 'utf8'));

test('the file and its directory are readable by their user only, and are removed with the cloud', async () => {
  const { directory, file } = await place();
  const withdraw = await announce(cloud, file);
  expect(await read(file)).toMatchObject({ apiUrl: 'http://127.0.0.1:1', credentials: { accessKeyId: 'AKIALOCAL' } });
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(directory, '.dropreel'))).mode & 0o777).toBe(0o700);
  await withdraw?.();
  await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('a second cloud neither replaces nor removes the file of a running one', async () => {
  const { file } = await place();
  await announce(cloud, file);
  // As another process wrote it: the one that started these tests.
  const first = { ...(await read(file)), process: `${process.ppid} ` };
  await writeFile(file, JSON.stringify(first));
  expect(await announce({ ...cloud, apiUrl: 'http://127.0.0.1:3' } as Cloud, file)).toBeUndefined();
  expect(await read(file)).toEqual(first);
});

test('the file of a killed cloud is replaced', async () => {
  const { file } = await place();
  await announce(cloud, file);
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  await writeFile(file, JSON.stringify({ process: `${dead} 1` }));
  const withdraw = await announce(cloud, file);
  expect(await read(file)).toMatchObject({ apiUrl: 'http://127.0.0.1:1' });
  expect(withdraw).toBeTypeOf('function');
});

test('the export block has what an AWS client needs in a shell', () => {
  expect(exportBlock(cloud)).toBe(`unset AWS_PROFILE AWS_SESSION_TOKEN
export AWS_ACCESS_KEY_ID=AKIALOCAL
export AWS_SECRET_ACCESS_KEY=a/b+c
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ENDPOINT_URL=http://127.0.0.1:4566`);
});
