import { expect, test } from 'vitest';
import { matchRoute } from '../../../services/apigateway/routes.ts';

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
    title: 'a full match with a variable is preferred to a greedy one, although its first segment is a variable',
    keys: ['GET /a/{proxy+}', 'GET /{x}/b'],
    path: '/a/b',
    key: 'GET /{x}/b',
  },
  {
    title: 'fixed segments are preferred to variables from left to right',
    keys: ['GET /{x}/b', 'GET /a/{y}'],
    path: '/a/b',
    key: 'GET /a/{y}',
  },
  {
    title: 'the longer of two greedy routes is preferred',
    keys: ['ANY /{proxy+}', 'ANY /a/{proxy+}'],
    path: '/a/b/c',
    key: 'ANY /a/{proxy+}',
  },
  { title: 'a method goes before ANY on the same path', keys: ['ANY /a', 'GET /a'], path: '/a', key: 'GET /a' },
  {
    title: 'a full match with ANY is preferred to a greedy one with the method',
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

test('a greedy variable matches the rest of the path, which may not be empty', () => {
  expect(match(['GET /a/{proxy+}'], 'GET', '/a/b/c')).toEqual({
    key: 'GET /a/{proxy+}',
    pathParameters: { proxy: 'b/c' },
  });
  expect(match(['GET /a/{proxy+}'], 'GET', '/a')).toBeUndefined();
  expect(match(['GET /a/{proxy+}'], 'GET', '/a/')).toBeUndefined();
});

test('another method does not match', () => {
  expect(match(['GET /a'], 'POST', '/a')).toBeUndefined();
});
