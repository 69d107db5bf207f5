import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Cloud } from '../../local/boot.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { dropreel, homeFor } from '../support/command.ts';
import { configuredApp } from '../support/configured-app.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { asSeen, creatorOf, kept, wordsOf } from '../support/tokens.ts';

/** The worked example of a provider in docs/deploy.md: what goes into cdk.json, and the arguments of the command. */
async function exampleOf(provider: string) {
  const [, text = ''] = (await readFile('docs/deploy.md', 'utf8')).split(`**${provider}**:`);
  const [, json = ''] = /```json\n(.*?)```/s.exec(text) ?? [];
  const [, shell = ''] = /```sh\n(.*?)```/s.exec(text) ?? [];
  const commands = shell.trim().split('\n').map(wordsOf);
  const configuration = z.looseObject({ jwtIssuer: z.string() }).parse(JSON.parse(`{${json}}`));
  return { configuration, person: commands[0] ?? [], machine: commands[1] ?? [] };
}

interface World {
  issuer: Issuer;
  cloud: Cloud;
  /** With the documented issuer's address in the place of the one that stands in for it. */
  run(args: string[], more?: Record<string, string>): ReturnType<typeof dropreel>;
  person: string[];
  machine: string[];
}

/** A deployment configured as the documents say for that provider, whose place a local issuer takes. */
function deployed(provider: string): World {
  const world = {} as World;
  const { use, dispose } = kept();
  beforeAll(async () => {
    const { configuration, ...commands } = await exampleOf(provider);
    const issuer = use(await startIssuer(new URL(configuration.jwtIssuer).pathname));
    const app = use(await configuredApp(configuration, { jwtIssuer: issuer.url }));
    const { cloud } = use(await testCloud(app));
    const { home } = use(await homeFor(cloud));
    const local: Record<string, string> = { [configuration.jwtIssuer]: issuer.url, API_URL: cloud.apiUrl };
    const run: World['run'] = (args, more) =>
      // No xdg-open is found there, because the test is the browser.
      dropreel(
        home,
        args.map((word) => local[word] ?? word),
        { PATH: dirname(process.execPath), ...more },
      );
    Object.assign(world, { issuer, cloud, run, ...commands });
  });
  afterAll(dispose);
  return world;
}

/** Logs in as docs/deploy.md says, and makes a collection: whose it is. */
async function loggedIn({ run }: World, line: string[], secret?: string): Promise<unknown> {
  const login = run(line, secret === undefined ? {} : { DROPREEL_CLIENT_SECRET: secret });
  if (secret === undefined) {
    let told = '';
    login.stderr?.on('data', (chunk: Buffer) => {
      told += chunk;
    });
    const page = await eventually('it names the sign-in page', async () => /Sign in at:\n(\S+)\n/.exec(told)?.[1]);
    // Any page or program of the machine may ask that port, also for paths that no URL can have.
    for (const path of ['//', '//[', 'http://', '/callback?code=x&state=y']) {
      expect([path, await signInStatus(path)]).toEqual([path, 404]);
    }
    expect(await (await fetch(page)).text()).toBe('Done. Close this page.');
  }
  const { exitCode, stderr } = await login;
  expect(exitCode, stderr).toBe(0);
  return creatorOf(run);
}

/** What the port to which the sign-in page answers says to a path. */
function signInStatus(path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: 8912, path }, (answer) => resolve(answer.resume().statusCode));
    sent.on('error', reject).end();
  });
}

/** What is asked for, without what is for the issuer itself. */
const scopesOf = (asked: URLSearchParams) =>
  (asked.get('scope') ?? '').split(' ').filter((scope) => scope !== '' && scope !== 'offline_access');

// https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
describe("Auth0's tokens", () => {
  const world = deployed('Auth0');
  const API = 'https://example.com/dropreel';
  const person = () => ({
    sub: 'auth0|123456',
    aud: [API, `${world.issuer.url}userinfo`],
    azp: 'my_client_id',
    scope: 'openid profile dropreel/creator',
  });
  const machine = () => ({
    sub: 'awZfdIir8YFdGZWkvCejDoUb7SjTDicx@clients',
    aud: API,
    azp: 'awZfdIir8YFdGZWkvCejDoUb7SjTDicx',
    gty: 'client-credentials',
    scope: 'dropreel/creator',
    permissions: ['dropreel/creator'],
  });
  const PERSON = 'u-lg2pj5pib5plhggpvnlxgz53evccnwqk';
  const MACHINE = 'u-2fmwbqd7m4odufucgptqve2trstob5oi';

  it.each([
    ['a person, whose subject is hashed', person, {}, { creatorId: PERSON, operator: false }],
    [
      'a person in the profile of RFC 9068',
      () => ({ ...person(), azp: undefined, client_id: 'my_client_id', jti: '73WakrfVbNJBaAmhQtEeDv' }),
      { typ: 'at+jwt' },
      { creatorId: PERSON, operator: false },
    ],
    [
      'a person who has the operator by a role alone',
      () => ({ ...person(), scope: 'openid profile', permissions: ['dropreel/operator'] }),
      {},
      { creatorId: PERSON, operator: true },
    ],
    ['a machine', machine, {}, { creatorId: MACHINE, operator: false }],
    [
      'a machine with both permissions',
      () => ({ ...machine(), scope: 'x', permissions: ['dropreel/creator', 'dropreel/operator'] }),
      {},
      { creatorId: MACHINE, operator: true },
    ],
    ['nothing but a sign-in (aud: userinfo)', () => ({ ...person(), aud: `${world.issuer.url}userinfo` }), {}, 401],
    ['another API of the tenant', () => ({ ...person(), aud: ['https://example.com/health-api'] }), {}, 401],
    ['another tenant', () => ({ ...person(), iss: 'https://other.auth0.com/' }), {}, 401],
    ['the tenant, its slash left out', () => ({ ...person(), iss: world.issuer.url.replace(/\/$/, '') }), {}, 401],
    ['a person without a permission', () => ({ ...person(), scope: 'openid profile', permissions: [] }), {}, 403],
  ])('of %s', async (_, claims, header, seen) => {
    expect(await asSeen(world.cloud, world.issuer.sign(claims(), header))).toEqual(seen);
  });

  it('are obtained by `dropreel login` as documented, for a person and for a machine', async () => {
    world.issuer.grants((asked) =>
      asked.get('grant_type') === 'client_credentials'
        ? {
            ...machine(),
            aud: asked.get('audience') ?? 'opaque',
            ...(asked.has('scope') && { scope: 'x', permissions: [] }),
          }
        : { ...person(), aud: [asked.get('audience') ?? 'opaque'], scope: scopesOf(asked).join(' ') },
    );
    expect(await loggedIn(world, world.person)).toBe(PERSON);
    expect(await loggedIn(world, world.machine, 'secret')).toBe(MACHINE);
  });
});

// https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
describe("Entra's tokens", () => {
  const world = deployed('Entra');
  const API = 'CLIENT_ID_OF_THE_API';
  const PERSON = 'aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb';
  const APPLICATION = 'aaaaaaaa-0000-1111-2222-cccccccccccc';
  const person = () => ({
    aud: API,
    azp: '11112222-bbbb-3333-cccc-4444dddd5555',
    azpacr: '0',
    oid: PERSON,
    sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
    tid: 'aaaabbbb-0000-cccc-1111-dddd2222eeee',
    scp: 'media.use User.Read',
    ver: '2.0',
  });
  const application = (roles: string[]) => ({
    aud: API,
    azp: '00001111-aaaa-2222-bbbb-3333cccc4444',
    azpacr: '1',
    oid: APPLICATION,
    sub: APPLICATION,
    tid: 'aaaabbbb-0000-cccc-1111-dddd2222eeee',
    roles,
    ver: '2.0',
  });
  const versionOne = () => ({
    ...person(),
    iss: 'https://sts.windows.net/aaaabbbb-0000-cccc-1111-dddd2222eeee/',
    aud: `api://${API}`,
    azp: undefined,
    appid: '11112222-bbbb-3333-cccc-4444dddd5555',
    appidacr: '0',
    unique_name: 'ada@example.com',
    ver: '1.0',
  });

  it.each([
    ['a person', person, { creatorId: PERSON, operator: false }],
    [
      'a person with the app role',
      () => ({ ...person(), roles: ['media.manage'] }),
      { creatorId: PERSON, operator: true },
    ],
    ['an application', () => application(['media.use']), { creatorId: APPLICATION, operator: false }],
    [
      'an application with both app roles',
      () => application(['media.use', 'media.manage']),
      { creatorId: APPLICATION, operator: true },
    ],
    ['version 1, the default of an app registration', versionOne, 401],
    ['another tenant', () => ({ ...person(), iss: 'https://login.microsoftonline.com/OTHER/v2.0' }), 401],
    ['Microsoft Graph', () => ({ ...person(), aud: '00000003-0000-0000-c000-000000000000' }), 401],
    ['a person with another scope', () => ({ ...person(), scp: 'User.Read' }), 403],
    ['an application without a role', () => ({ ...application([]), roles: undefined }), 403],
    ['a person without an oid', () => ({ ...person(), oid: undefined }), 403],
  ])('of %s', async (_, claims, seen) => {
    expect(await asSeen(world.cloud, world.issuer.sign(claims()))).toEqual(seen);
  });

  it('are obtained by `dropreel login` as documented, for a person and for an application', async () => {
    const prefix = `api://${API}/`;
    const own = (asked: URLSearchParams) =>
      scopesOf(asked).flatMap((scope) => (scope.startsWith(prefix) ? [scope.slice(prefix.length)] : []));
    world.issuer.grants((asked) =>
      asked.get('grant_type') === 'client_credentials'
        ? application(own(asked).includes('.default') ? ['media.use'] : [])
        : { ...person(), scp: own(asked).join(' ') },
    );
    expect(await loggedIn(world, world.person)).toBe(PERSON);
    expect(await loggedIn(world, world.machine, 'secret')).toBe(APPLICATION);
  });
});

// https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/
describe("Okta's tokens", () => {
  const world = deployed('Okta');
  const person = () => ({
    ver: 1,
    jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE',
    aud: 'api://default',
    cid: '0oa1example',
    uid: '00u1abcd2EFGH3ijk4l5',
    scp: ['openid', 'dropreel/creator'],
    sub: 'ada@example.com',
  });
  const machine = (scp: string[]) => ({ ver: 1, aud: 'api://default', cid: '0oa2example', scp, sub: '0oa2example' });

  it.each([
    ['a person', person, { creatorId: '00u1abcd2EFGH3ijk4l5', operator: false }],
    [
      'a person with both scopes',
      () => ({ ...person(), scp: ['dropreel/creator', 'dropreel/operator'] }),
      { creatorId: '00u1abcd2EFGH3ijk4l5', operator: true },
    ],
    [
      'a machine, whose subject is its client',
      () => machine(['dropreel/creator']),
      { creatorId: '0oa2example', operator: false },
    ],
    ["the org's own authorization server", () => ({ ...person(), iss: 'https://ORG.okta.com' }), 401],
    ['another audience', () => ({ ...person(), aud: 'api://other' }), 401],
    ['a person without a scope of ours', () => ({ ...person(), scp: ['openid'] }), 403],
    [
      'a person whose profile contains the names of scopes',
      () => ({ ...person(), scp: ['openid'], groups: ['dropreel/operator'] }),
      403,
    ],
  ])('of %s', async (_, claims, seen) => {
    expect(await asSeen(world.cloud, world.issuer.sign(claims()))).toEqual(seen);
  });

  it('are obtained by `dropreel login` as documented, for a person and for a machine', async () => {
    world.issuer.grants((asked) =>
      asked.get('grant_type') === 'client_credentials'
        ? machine(scopesOf(asked))
        : { ...person(), scp: scopesOf(asked) },
    );
    expect(await loggedIn(world, world.person)).toBe('00u1abcd2EFGH3ijk4l5');
    expect(await loggedIn(world, world.machine, 'secret')).toBe('0oa2example');
  });
});
