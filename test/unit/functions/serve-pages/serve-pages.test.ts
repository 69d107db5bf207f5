import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerFile } from '../../../../functions/serve-pages/answers.ts';
import { contentPolicy } from '../../../../functions/serve-pages/policy.ts';

const API = { API_URL: 'https://api.example.com/prod' };
const UPLOADS = 'https://uploads.s3.us-east-1.amazonaws.com';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-pages-'));
  await mkdir(join(folder, 'console', 'assets'), { recursive: true });
  await writeFile(join(folder, 'console', 'index.html'), '<!doctype html>');
  await writeFile(join(folder, 'console', 'assets', 'a-1.js'), 'run()');
  await writeFile(join(folder, 'index.mjs'), 'the function');
});
afterAll(() => rm(folder, { recursive: true }));

const answer = (name: string) => answerFile(join(folder, 'console'), name, 'the policy');

describe('a file', () => {
  it.each([
    ['index.html', 'text/html; charset=utf-8', 'no-cache'],
    ['assets/a-1.js', 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable'],
  ])('%s has its type, its time in caches and the policy', async (name, type, cacheControl) => {
    const { statusCode, headers } = await answer(name);
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'content-type': type,
      'cache-control': cacheControl,
      'content-security-policy': 'the policy',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
    });
  });

  it.each([
    '../index.mjs',
    '../index.html',
    'assets/../../index.mjs',
    'none.js',
    'assets',
    '',
    'assets/a-1.js\0.html',
  ])('%j is not there', async (name) => {
    expect(await answer(name)).toMatchObject({ statusCode: 404, body: 'Not found\n' });
  });
});

describe('the policy', () => {
  const signIn = { authority: 'https://id.example.com/pool', clientId: 'c', scope: 'openid' };
  const directive = (policy: string, name: string) => policy.split('; ').find((one) => one.startsWith(`${name} `));

  it('lets pages call the API, the uploads bucket and the issuer, and nothing else', () => {
    const policy = contentPolicy({ ...API, SIGN_IN: signIn }, UPLOADS);
    expect(directive(policy, 'connect-src')).toBe(
      `connect-src 'self' https://api.example.com ${UPLOADS} https://id.example.com`,
    );
  });

  it('names the token endpoint where that is elsewhere', () => {
    const tokenUrl = 'https://d.auth.us-east-1.amazoncognito.com/oauth2/token';
    const policy = contentPolicy({ ...API, SIGN_IN: { ...signIn, tokenUrl } }, UPLOADS);
    expect(directive(policy, 'connect-src')).toContain('https://d.auth.us-east-1.amazoncognito.com');
  });

  it('allows no inline script, no eval, no frame around the page and no form', () => {
    const policy = contentPolicy(API, UPLOADS);
    expect(directive(policy, 'script-src')).toBe("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("form-action 'none'");
    expect(policy).toContain("default-src 'none'");
  });
});
