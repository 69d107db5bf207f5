import { describe, expect, it } from 'vitest';
import { callerOf, creatorFor, maySee, requireOperator } from '../../../../core/api/caller.ts';
import { ApiError } from '../../../../core/api/problem.ts';

const code = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return error instanceof ApiError ? error.code : String(error);
  }
  return 'none';
};

describe('callerOf', () => {
  it('takes custom:creator before username before sub', () => {
    const scope = 'openid dropreel/creator';
    expect(callerOf({ scope, sub: 's', username: 'u', 'custom:creator': 'c' }).creatorId).toBe('c');
    expect(callerOf({ scope, sub: 's', username: 'u' }).creatorId).toBe('u');
    expect(callerOf({ scope, sub: 's' }).creatorId).toBe('s');
  });

  it('knows an operator by the scope', () => {
    expect(callerOf({ scope: 'dropreel/operator', sub: 's' })).toEqual({ creatorId: 's', operator: true });
    expect(callerOf({ scope: 'dropreel/creator', sub: 's' })).toEqual({ creatorId: 's', operator: false });
  });

  it.each([
    ['no scope', { sub: 's' }],
    ['another scope', { sub: 's', scope: 'dropreel/creators openid' }],
    ['no name', { scope: 'dropreel/creator' }],
    ['a name that is no creator id', { scope: 'dropreel/creator', sub: '../x' }],
    ['a scope that is no text', { scope: ['dropreel/creator'], sub: 's' }],
  ])('forbids a token with %s', (_, claims) => {
    expect(code(() => callerOf(claims))).toBe('forbidden');
  });
});

it('lets creators see their own and operators see all', () => {
  expect(maySee({ creatorId: 'ada', operator: false }, 'ada')).toBe(true);
  expect(maySee({ creatorId: 'ada', operator: false }, 'bob')).toBe(false);
  expect(maySee({ creatorId: 'ada', operator: true }, 'bob')).toBe(true);
});

it('lets only operators act for another', () => {
  expect(creatorFor({ creatorId: 'ada', operator: false }, undefined)).toBe('ada');
  expect(creatorFor({ creatorId: 'ada', operator: false }, 'ada')).toBe('ada');
  expect(creatorFor({ creatorId: 'ada', operator: true }, 'bob')).toBe('bob');
  expect(code(() => creatorFor({ creatorId: 'ada', operator: false }, 'bob'))).toBe('forbidden');
  expect(code(() => requireOperator({ creatorId: 'ada', operator: false }))).toBe('forbidden');
});
