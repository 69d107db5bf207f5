import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Cloud } from '../../local/boot.ts';
import { claimsOf, forge, tokenOf } from '../support/api.ts';
import { testCloud } from '../support/cloud.ts';
import { dropreel, homeFor } from '../support/command.ts';
import { configuredApp } from '../support/configured-app.ts';
import { asSeen, creatorOf, kept, wordsOf } from '../support/tokens.ts';

// https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
describe("the stack's own user pool", () => {
  const { use, dispose } = kept();
  let cloud: Cloud;
  let stateDir: string;

  beforeAll(async () => {
    const [, json = ''] = /"machineClients": (\{[^}]*\})/.exec(await readFile('docs/deploy.md', 'utf8')) ?? [];
    const app = use(await configuredApp({ machineClients: JSON.parse(json.replaceAll(/\s+/g, ' ')) }));
    stateDir = app.stateDir;
    ({ cloud } = use(await testCloud(app)));
  });
  afterAll(dispose);

  /** By client credentials, as docs/deploy.md has it with curl. */
  async function tokenFor(output: string, scope?: string): Promise<string> {
    const id = cloud.outputs[output] ?? '';
    const response = await fetch(cloud.issuer?.tokenUrl ?? '', {
      method: 'POST',
      headers: { Authorization: `Basic ${btoa(`${id}:${cloud.issuer?.clientSecret(id)}`)}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope && { scope }) }),
    });
    return z.object({ access_token: z.string() }).parse(await response.json()).access_token;
  }

  it.each([
    ['MachineClientId', false],
    ['ShopClientId', false],
    ['OperatorClientId', true],
    ['AnnaClientId', true],
  ])("gives the machine of %s its own creator, and the operator's scope: %s", async (output, operator) => {
    expect(await asSeen(cloud, await tokenFor(output))).toEqual({ creatorId: cloud.outputs[output], operator });
  });

  it("gives a creator's machine no operator's scope, even on request", async () => {
    await expect(tokenFor('ShopClientId', 'dropreel/operator')).rejects.toThrow();
    expect(claimsOf(await tokenFor('AnnaClientId', 'dropreel/creator')).scope).toBe('dropreel/creator');
  });

  it('gives `dropreel login` the token of a machine, as documented', async () => {
    const [, line = ''] =
      /^DROPREEL_CLIENT_SECRET=CLIENT_SECRET (.*)$/m.exec(await readFile('docs/deploy.md', 'utf8')) ?? [];
    const id = cloud.outputs.ShopClientId ?? '';
    const here: Record<string, string> = {
      API_URL: cloud.apiUrl,
      TOKEN_URL: cloud.issuer?.tokenUrl ?? '',
      CLIENT_ID: id,
    };
    await using made = await homeFor(cloud);
    const run = (args: string[], secret: Record<string, string> = {}) => dropreel(made.home, args, secret);
    const words = wordsOf(line).map((word) => here[word] ?? word);
    const login = await run(words, { DROPREEL_CLIENT_SECRET: cloud.issuer?.clientSecret(id) ?? '' });
    expect(login.exitCode, login.stderr).toBe(0);
    expect(await creatorOf(run)).toBe(id);
  });

  const SUB = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';
  it.each([
    [
      'access token of a person',
      {
        sub: SUB,
        username: SUB,
        'cognito:groups': ['editors', 'staff'],
        version: 2,
        origin_jti: SUB,
        event_id: SUB,
        token_use: 'access',
        scope: 'openid dropreel/creator',
      },
      { creatorId: SUB, operator: false },
    ],
    [
      'ID token of a person',
      { sub: SUB, username: undefined, 'cognito:username': SUB, token_use: 'id', scope: undefined, aud: 'client' },
      403,
    ],
    ['access token of aws.cognito.signin.user.admin alone', { sub: SUB, scope: 'aws.cognito.signin.user.admin' }, 403],
    ['access token of another client', { sub: SUB, client_id: 'other' }, 401],
  ])('issues a %s from which the API tells the caller, or which it refuses', async (_, claims, seen) => {
    const token = await tokenOf(cloud, 'ada');
    const client = cloud.outputs.PeopleClientId;
    const aud = 'aud' in claims ? { aud: client, client_id: undefined } : {};
    const forged = await forge(stateDir, token, { client_id: client, ...claims, ...aud });
    expect(await asSeen(cloud, forged)).toEqual(seen);
  });
});
