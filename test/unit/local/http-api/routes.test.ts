import { expect, test } from 'vitest';
import { matchRoute } from '../../../../local/http-api/routes.ts';

const match = (keys: string[], method: string, path: string) => {
  const found = matchRoute(
    keys.map((key) => ({ key })),
    method,
    path,
  );
  return found && { key: found.route.key, pathParameters: found.pathParameters };
};

test.each([
  {
    title: 'a full match with a variable goes before a greedy one, although its first segment is a variable',
    keys: ['GET /a/{proxy+}', 'GET /{x}/b'],
    path: '/a/b',
    key: 'GET /{x}/b',
  },
  {
    title: 'fixed segments go before variables from left to right',
    keys: ['GET /{x}/b', 'GET /a/{y}'],
    path: '/a/b',
    key: 'GET /a/{y}',
  },
  {
    title: 'the longer of two greedy routes',
    keys: ['ANY /{proxy+}', 'ANY /a/{proxy+}'],
    path: '/a/b/c',
    key: 'ANY /a/{proxy+}',
  },
  { title: 'a method goes before ANY on the same path', keys: ['ANY /a', 'GET /a'], path: '/a', key: 'GET /a' },
  {
    title: 'a full match with ANY goes before a greedy one with the method',
    keys: ['GET /{proxy+}', 'ANY /a'],
    path: '/a',
    key: 'ANY /a',
  },
  { title: 'a trailing slash is a segment more', keys: ['GET /a', '$default'], path: '/a/', key: '$default' },
  { title: 'the root', keys: ['GET /', 'GET /{proxy+}'], path: '/', key: 'GET /' },
] as const)('$title', ({ keys, path, key }) => {
  expect(match([...keys], 'GET', path)?.key).toBe(key);
  expect(match([...keys].reverse(), 'GET', path)?.key).toBe(key);
});

test('a greedy variable takes the rest of the path, and at least something', () => {
  expect(match(['GET /a/{proxy+}'], 'GET', '/a/b/c')).toEqual({
    key: 'GET /a/{proxy+}',
    pathParameters: { proxy: 'b/c' },
  });
  expect(match(['GET /a/{proxy+}'], 'GET', '/a')).toBeUndefined();
  expect(match(['GET /a/{proxy+}'], 'GET', '/a/')).toBeUndefined();
});

test('another method is no match', () => {
  expect(match(['GET /a'], 'POST', '/a')).toBeUndefined();
});
