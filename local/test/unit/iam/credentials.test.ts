import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createCredentials, type Identified } from '../../../iam/credentials.ts';

const ROLE: Identified = { type: 'role', arn: 'arn:aws:iam::123456789012:role/worker' };
const OTHER: Identified = { type: 'role', arn: 'arn:aws:iam::123456789012:role/other' };

async function tempDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'dropreel-iam-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

test('credentials are valid after a cloud was booted again', async () => {
  const dir = await tempDir();
  const issued = (await createCredentials(dir)).issue(ROLE);

  const again = await createCredentials(dir);

  expect(again.issue(ROLE)).toEqual(issued);
  expect(again.lookup(issued.accessKeyId, issued.sessionToken)).toEqual({
    principal: ROLE,
    secretAccessKey: issued.secretAccessKey,
  });
  expect(issued.accessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
  expect(issued.secretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/);
});

test('credentials of another cloud are invalid', async () => {
  const issued = (await createCredentials(await tempDir())).issue(ROLE);
  const other = await createCredentials(await tempDir());
  expect(other.lookup(issued.accessKeyId, issued.sessionToken)).toBeUndefined();
});

test('a token that names another principal is invalid', async () => {
  const { issue, lookup } = await createCredentials(await tempDir());
  const worker = issue(ROLE);
  const other = issue(OTHER);
  const forged = `${other.sessionToken?.split('.')[0]}.${worker.sessionToken?.split('.')[1]}`;

  expect(lookup(worker.accessKeyId, other.sessionToken)).toBeUndefined();
  expect(lookup(other.accessKeyId, forged)).toBeUndefined();
  expect(lookup(worker.accessKeyId)).toBeUndefined();
  expect(lookup(worker.accessKeyId, '')).toBeUndefined();
  expect(lookup(worker.accessKeyId, `${worker.sessionToken}.more`)).toBeUndefined();
});

test("a service's credentials keep the source that it acts for", async () => {
  const { issue, lookup } = await createCredentials(await tempDir());
  const rule: Identified = { type: 'service', service: 'events.amazonaws.com', sourceArn: 'arn:aws:events:a:b:rule/r' };
  const issued = issue(rule);
  expect(lookup(issued.accessKeyId, issued.sessionToken)?.principal).toEqual(rule);
});

test("the developer's credentials differ from directory to directory, stay with it, and have no token", async () => {
  const dir = await tempDir();
  const { issue, lookup } = await createCredentials(dir);
  const { accessKeyId, secretAccessKey, ...more } = issue({ type: 'developer' });
  expect(accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
  expect(secretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/);
  expect(more).toEqual({});
  expect(lookup(accessKeyId)).toEqual({ principal: { type: 'developer' }, secretAccessKey });
  expect(lookup(accessKeyId, 'token')).toBeUndefined();
  expect(lookup('AKIAUNKNOWN')).toBeUndefined();
  expect(lookup('dropreel')).toBeUndefined();

  const again = (await createCredentials(dir)).issue({ type: 'developer' });
  const other = (await createCredentials(await tempDir())).issue({ type: 'developer' });
  expect(again).toEqual({ accessKeyId, secretAccessKey });
  expect([other.accessKeyId, other.secretAccessKey]).not.toContain(accessKeyId);
  expect(other.secretAccessKey).not.toBe(secretAccessKey);
});

test('the secret is readable by its owner only', async () => {
  const dir = await tempDir();
  await createCredentials(dir);
  expect((await stat(join(dir, 'secret'))).mode & 0o777).toBe(0o600);
  expect((await readFile(join(dir, 'secret'))).length).toBe(32);
});

test('a damaged secret is an error and is not replaced', async () => {
  const dir = await tempDir();
  await writeFile(join(dir, 'secret'), 'short');
  await expect(createCredentials(dir)).rejects.toThrow('is damaged: it has 5 bytes and not 32');
});
