import { describe, expect, it } from 'vitest';
import { type ClaimSettings, callerOf, creatorFor, maySee, requireOperator } from '../../../../core/api/caller.ts';
import { ApiError } from '../../../../core/api/problem.ts';
import { creatorIdFor } from '../../../../core/contracts/ids.ts';

const code = async (act: () => unknown): Promise<string> => {
  try {
    await act();
  } catch (error) {
    return error instanceof ApiError ? error.code : String(error);
  }
  return 'none';
};

/** The stack's own user pool. */
const OWN: ClaimSettings = {
  scopeClaims: ['scope'],
  creatorClaims: ['custom:creator', 'username', 'sub'],
  creatorScopes: ['dropreel/creator'],
  operatorScopes: ['dropreel/operator'],
};

describe('callerOf', () => {
  it('prefers custom:creator to username to sub', async () => {
    const scope = 'openid dropreel/creator';
    expect((await callerOf({ scope, sub: 's', username: 'u', 'custom:creator': 'c' }, OWN)).creatorId).toBe('c');
    expect((await callerOf({ scope, sub: 's', username: 'u' }, OWN)).creatorId).toBe('u');
    expect((await callerOf({ scope, sub: 's' }, OWN)).creatorId).toBe('s');
  });

  it('recognizes an operator by the scope', async () => {
    expect(await callerOf({ scope: 'dropreel/operator', sub: 's' }, OWN)).toEqual({ creatorId: 's', operator: true });
    expect(await callerOf({ scope: 'dropreel/creator', sub: 's' }, OWN)).toEqual({ creatorId: 's', operator: false });
  });

  it.each([
    ['no scope', { sub: 's' }],
    ['another scope', { sub: 's', scope: 'dropreel/creators openid' }],
    ['the scope in another claim', { sub: 's', scp: 'dropreel/creator' }],
    ['no name', { scope: 'dropreel/creator' }],
    ['an empty name', { scope: 'dropreel/creator', sub: '' }],
    ['a name that is not text', { scope: 'dropreel/creator', sub: ['s'] }],
    ['a scope that is not text', { scope: { 'dropreel/creator': true }, sub: 's' }],
  ])('forbids a token with %s', async (_, claims) => {
    expect(await code(() => callerOf(claims, OWN))).toBe('forbidden');
  });
});

describe('a token of', () => {
  const settings = (more: Partial<ClaimSettings>): ClaimSettings => ({ ...OWN, creatorClaims: ['sub'], ...more });

  it.each([
    // https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-access-token.html
    [
      'Cognito, for a person',
      OWN,
      {
        sub: '8fa1c0d2-3061-70c5-5d0e-0a3c5e1a2b3c',
        iss: 'https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE',
        client_id: '1example23456789',
        token_use: 'access',
        scope: 'openid dropreel/creator',
        username: '8fa1c0d2-3061-70c5-5d0e-0a3c5e1a2b3c',
        'cognito:groups': '[editors staff]',
      },
      { creatorId: '8fa1c0d2-3061-70c5-5d0e-0a3c5e1a2b3c', operator: false },
    ],
    [
      'Cognito, for a machine',
      OWN,
      { sub: '1example23456789', client_id: '1example23456789', scope: 'dropreel/creator dropreel/operator' },
      { creatorId: '1example23456789', operator: true },
    ],
    // https://auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
    [
      'Auth0, for a person, by scope',
      settings({}),
      {
        iss: 'https://my-domain.auth0.com/',
        sub: 'auth0|123456',
        aud: '[https://example.com/dropreel https://my-domain.auth0.com/userinfo]',
        azp: 'my_client_id',
        scope: 'openid profile dropreel/creator',
      },
      { creatorId: 'u-lg2pj5pib5plhggpvnlxgz53evccnwqk', operator: false },
    ],
    [
      'Auth0, for a machine, by permissions',
      settings({ scopeClaims: ['scope', 'permissions'], operatorScopes: ['manage:media'] }),
      { sub: 'awZfdIir8YFdGZWkvCejDoUb7SjTDicx@clients', gty: 'client-credentials', permissions: '[manage:media]' },
      { creatorId: 'u-2fmwbqd7m4odufucgptqve2trstob5oi', operator: true },
    ],
    // https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    [
      'Entra, for a person',
      settings({ scopeClaims: ['scp', 'roles'], creatorClaims: ['oid'], creatorScopes: ['media.use'] }),
      {
        aud: '11111111-2222-3333-4444-555555555555',
        iss: 'https://login.microsoftonline.com/aaaabbbb-0000-cccc-1111-dddd2222eeee/v2.0',
        oid: 'aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb',
        sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ',
        scp: 'media.use User.Read',
        ver: '2.0',
      },
      { creatorId: 'aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb', operator: false },
    ],
    [
      'Entra, for an application',
      settings({ scopeClaims: ['scp', 'roles'], creatorClaims: ['oid'], operatorScopes: ['media.manage'] }),
      { oid: 'aaaaaaaa-0000-1111-2222-cccccccccccc', roles: '[media.manage media.other]', ver: '2.0' },
      { creatorId: 'aaaaaaaa-0000-1111-2222-cccccccccccc', operator: true },
    ],
    // https://developer.okta.com/docs/api/openapi/okta-oauth/guides/overview/
    [
      'Okta, for a person',
      settings({ scopeClaims: ['scp'], creatorClaims: ['uid'] }),
      {
        iss: 'https://example.okta.com/oauth2/default',
        aud: 'api://default',
        cid: '0oa1example',
        uid: '00u1abcd2EFGH3ijk4l5',
        scp: '[openid dropreel/creator]',
        sub: 'ada@example.com',
      },
      { creatorId: '00u1abcd2EFGH3ijk4l5', operator: false },
    ],
    [
      'Okta, for a machine, whose subject is its client',
      settings({ scopeClaims: ['scp'], creatorClaims: ['uid', 'sub'] }),
      { cid: '0oa1example', scp: '[dropreel/operator]', sub: '0oa1example' },
      { creatorId: '0oa1example', operator: true },
    ],
  ])('%s', async (_, wanted, claims, caller) => {
    expect(await callerOf(claims, wanted)).toEqual(caller);
  });
});

describe('the creator of a subject', () => {
  it('is the subject where that is a valid creator id', async () => {
    expect(await creatorIdFor('ada.lovelace-1')).toBe('ada.lovelace-1');
  });
  it.each([
    'auth0|1',
    'ada@example.com',
    '../x',
    'tmp',
    'private',
    'x'.repeat(65),
    '日本',
  ])('is a hash of %s', async (subject) => {
    expect(await creatorIdFor(subject)).toMatch(/^u-[a-z2-7]{32}$/);
  });
  it('belongs to one subject only: a subject that looks like a hash is hashed', async () => {
    const mapped = await creatorIdFor('ada@example.com');
    expect(await creatorIdFor(mapped)).not.toBe(mapped);
    expect(await creatorIdFor(mapped)).toMatch(/^u-[a-z2-7]{32}$/);
  });
});

it('a creator may see its own media, and an operator all', () => {
  expect(maySee({ creatorId: 'ada', operator: false }, 'ada')).toBe(true);
  expect(maySee({ creatorId: 'ada', operator: false }, 'bob')).toBe(false);
  expect(maySee({ creatorId: 'ada', operator: true }, 'bob')).toBe(true);
});

it('only an operator may act for another creator', async () => {
  expect(creatorFor({ creatorId: 'ada', operator: false }, undefined)).toBe('ada');
  expect(creatorFor({ creatorId: 'ada', operator: false }, 'ada')).toBe('ada');
  expect(creatorFor({ creatorId: 'ada', operator: true }, 'bob')).toBe('bob');
  expect(await code(() => creatorFor({ creatorId: 'ada', operator: false }, 'bob'))).toBe('forbidden');
  expect(await code(() => requireOperator({ creatorId: 'ada', operator: false }))).toBe('forbidden');
});
