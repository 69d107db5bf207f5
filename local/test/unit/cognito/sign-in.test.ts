import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { SignIns } from '../../../services/cognito/sign-in.ts';
import type { Client } from '../../../services/cognito/template.ts';

const HOME = 'http://127.0.0.1:4567/console/';
const ANN = { username: 'ann', scopes: ['library/write'] };
const NOW = 1_796_000_000_000;
const VERIFIER = 'a-verifier-of-more-than-forty-three-characters';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

const page: Client = {
  id: 'page',
  pool: { id: 'pool', issuer: 'https://issuer.example', scopes: ['library/write'] },
  hasSecret: false,
  mayUseClientCredentials: false,
  scopes: ['library/write'],
  callbackUrls: [HOME],
  logoutUrls: [],
  tokenSeconds: 3600,
  refreshSeconds: 7200,
};
const query = (change: Record<string, string> = {}) =>
  new URLSearchParams({
    client_id: 'page',
    redirect_uri: HOME,
    response_type: 'code',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    state: 'mine',
    ...change,
  });
const form = (code: string, change: Record<string, string> = {}) =>
  new URLSearchParams({
    grant_type: 'authorization_code',
    client_id: 'page',
    redirect_uri: HOME,
    code,
    code_verifier: VERIFIER,
    ...change,
  });

function signedIn() {
  const signIns = new SignIns([page]);
  const { session } = signIns.open(signIns.link(ANN, HOME, NOW), NOW);
  const code = () => new URL(signIns.authorize(session, query(), NOW)).searchParams.get('code') ?? '';
  return { signIns, session, code };
}

describe('a link', () => {
  it('opens one session, and none after that', () => {
    const signIns = new SignIns([page]);
    const link = signIns.link(ANN, `${HOME}media/1`, NOW);
    expect(signIns.open(link, NOW).to).toBe(`${HOME}media/1`);
    expect(() => signIns.open(link, NOW)).toThrow('access_denied');
  });

  it('opens none after a day', () => {
    const signIns = new SignIns([page]);
    const link = signIns.link(ANN, HOME, NOW);
    expect(() => signIns.open(link, NOW + 24 * 3_600_000)).toThrow('access_denied');
  });

  it('leads to no other page than those of its clients', () => {
    expect(() => new SignIns([page]).link(ANN, 'http://evil.example/', NOW)).toThrow('redirect_mismatch');
  });
});

describe('a sign-in', () => {
  it('gives the state back, and for its code the tokens of the person', () => {
    const { signIns, session } = signedIn();
    const to = new URL(signIns.authorize(session, query(), NOW));
    expect([`${to.origin}${to.pathname}`, to.searchParams.get('state')]).toEqual([HOME, 'mine']);
    expect(signIns.exchange(form(to.searchParams.get('code') ?? ''), NOW).person).toEqual(ANN);
  });

  it.each([
    ['without a session', 'other', {}, 'login_required'],
    ['for another redirect', undefined, { redirect_uri: `${HOME}x` }, 'redirect_mismatch'],
    ['for an unknown client', undefined, { client_id: 'x' }, 'invalid_client'],
    ['without PKCE', undefined, { code_challenge: '' }, 'invalid_request'],
    ['with a plain challenge', undefined, { code_challenge_method: 'plain' }, 'invalid_request'],
  ])('%s is refused', (_, other, change, error) => {
    const { signIns, session } = signedIn();
    expect(() => signIns.authorize(other ?? session, query(change), NOW)).toThrow(error);
  });

  it('ends with its session', () => {
    const { signIns, session } = signedIn();
    signIns.end(session);
    expect(() => signIns.authorize(session, query(), NOW)).toThrow('login_required');
  });
});

describe('a code', () => {
  it('is exchanged once', () => {
    const { signIns, code } = signedIn();
    const given = code();
    signIns.exchange(form(given), NOW);
    expect(() => signIns.exchange(form(given), NOW)).toThrow('invalid_grant');
  });

  it.each([
    ['another verifier', { code_verifier: 'x' }, 0],
    ['another redirect', { redirect_uri: 'http://evil.example/' }, 0],
    ['another client', { client_id: 'other' }, 0],
    ['a minute later', {}, 60_000],
  ])('is worth nothing with %s', (_, change, later) => {
    const { signIns, code } = signedIn();
    expect(() => signIns.exchange(form(code(), change), NOW + later)).toThrow('invalid_grant');
  });
});

it('a refresh token gives new tokens once, and the next refresh token', () => {
  const { signIns, code } = signedIn();
  const { refreshToken } = signIns.exchange(form(code()), NOW);
  const refresh = (token: string, now = NOW) =>
    signIns.exchange(
      new URLSearchParams({ grant_type: 'refresh_token', client_id: 'page', refresh_token: token }),
      now,
    );
  const next = refresh(refreshToken, NOW + 60_000);
  expect([next.person, next.signedInAt]).toEqual([ANN, NOW]);
  expect(() => refresh(refreshToken)).toThrow('invalid_grant');
  expect(() => refresh(next.refreshToken, NOW + 7_260_000)).toThrow('invalid_grant');
});
