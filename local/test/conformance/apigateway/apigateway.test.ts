import { expect, test } from 'vitest';
import { AwsError } from '../../../kernel/service.ts';
import { type ApiWorld, type RouteOptions, startApi } from '../../support/api-world.ts';
import { oursOnly } from '../target.ts';
import { CORS, JWT, LAMBDA, QUOTAS, ROUTES } from './pages.ts';

oursOnly('the cases have their own routes, authorizers and functions');

interface Options {
  routes?: RouteOptions[];
  cors?: Record<string, unknown>;
  timeoutMs?: number;
}

function conforms(title: string, source: string, options: Options, run: (api: ApiWorld) => Promise<void>): void {
  test(`${title} (${source})`, async () => {
    const api = await startApi({ routes: [{ key: '$default' }], ...options });
    try {
      await run(api);
    } finally {
      await api.close();
    }
  });
}

conforms('path parameters are decoded', ROUTES, { routes: [{ key: 'GET /pets/{petID}' }] }, async (api) => {
  await fetch(`${api.url}/pets/a%20b`);
  expect(api.events[0]).toMatchObject({ routeKey: 'GET /pets/{petID}', pathParameters: { petID: 'a b' } });
});

const PETS = ['GET /pets/dog/1', 'GET /pets/dog/{id}', 'GET /pets/{proxy+}', 'ANY /{proxy+}', '$default'];
for (const [method, path, key] of [
  ['GET', '/pets/dog/1', 'GET /pets/dog/1'],
  ['GET', '/pets/dog/2', 'GET /pets/dog/{id}'],
  ['GET', '/pets/cat/1', 'GET /pets/{proxy+}'],
  ['POST', '/test/5', 'ANY /{proxy+}'],
  ['GET', '/', '$default'],
] as const) {
  conforms(`${method} ${path} goes to ${key}`, ROUTES, { routes: PETS.map((it) => ({ key: it })) }, async (api) => {
    await fetch(api.url + path, { method });
    expect(api.events[0]?.routeKey).toBe(key);
  });
}

conforms('without a route: 404', ROUTES, { routes: [{ key: 'GET /a' }] }, async (api) => {
  const response = await fetch(`${api.url}/b`);
  expect([response.status, await response.text()]).toEqual([404, '{"message":"Not Found"}']);
});

conforms('a result without statusCode is a 200 with that JSON', LAMBDA, {}, async (api) => {
  api.answer(() => ({ message: 'Hello from Lambda!' }));
  const response = await fetch(api.url);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(await response.json()).toEqual({ message: 'Hello from Lambda!' });
});

conforms('a result with statusCode sets status, headers, cookies and body', LAMBDA, {}, async (api) => {
  api.answer(() => ({
    statusCode: 201,
    headers: { 'Content-Type': 'image/png', 'X-Count': 3 },
    cookies: ['a=1; Path=/', 'b=2'],
    isBase64Encoded: true,
    body: 'AAEC',
  }));
  const response = await fetch(api.url);
  expect(response.status).toBe(201);
  expect(response.headers.get('content-type')).toBe('image/png');
  expect(response.headers.get('x-count')).toBe('3');
  expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2']);
  expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 1, 2]);
});

conforms('a function that fails, or answers nonsense: 500', LAMBDA, {}, async (api) => {
  for (const answer of [new Error('broken'), { statusCode: 'teapot' }, 'not json']) {
    api.answer(() => answer);
    const response = await fetch(api.url);
    expect([response.status, await response.text()]).toEqual([500, '{"message":"Internal Server Error"}']);
  }
});

conforms('a function that takes longer than the integration: 503', QUOTAS, { timeoutMs: 50 }, async (api) => {
  let finish: (value: unknown) => void = () => {};
  api.answer(() => new Promise((resolve) => (finish = resolve)));
  const response = await fetch(api.url);
  finish({});
  expect([response.status, await response.text()]).toEqual([503, '{"message":"Service Unavailable"}']);
});

conforms('10 MB of payload are taken, more are a 413', QUOTAS, {}, async (api) => {
  const post = async (size: number) => {
    const headers = { 'content-type': 'application/octet-stream' };
    const response = await fetch(api.url, { method: 'POST', headers, body: Buffer.alloc(size) });
    return [response.status, await response.text()];
  };
  expect(await post(10 * 1024 * 1024)).toEqual([200, '{}']);
  expect(await post(10 * 1024 * 1024 + 1)).toEqual([413, '{"message":"Request Entity Too Large"}']);
});

conforms(
  'claims and scopes reach the function as text',
  JWT,
  { routes: [{ key: 'GET /', scopes: ['a/read'] }] },
  async (api) => {
    await fetch(api.url, {
      headers: { authorization: `Bearer ${api.token({ scope: 'a/read a/write', groups: ['x', 'y'] })}` },
    });
    expect(api.events[0]?.requestContext).toMatchObject({
      authorizer: {
        jwt: {
          claims: { sub: 'ada', scope: 'a/read a/write', groups: '[x y]', exp: expect.stringMatching(/^\d+$/) },
          scopes: ['a/read', 'a/write'],
        },
      },
    });
  },
);

conforms(
  "one of the route's scopes is enough; none of them: 403",
  JWT,
  { routes: [{ key: 'GET /', scopes: ['a/read', 'a/admin'] }] },
  async (api) => {
    const get = (scope: string) => fetch(api.url, { headers: { authorization: `Bearer ${api.token({ scope })}` } });
    expect((await get('a/admin other')).status).toBe(200);
    const refused = await get('a/rea');
    expect([refused.status, await refused.text()]).toEqual([403, '{"message":"Forbidden"}']);
    expect(refused.headers.get('www-authenticate')).toContain('error="insufficient_scope"');
  },
);

conforms('without a token: 401', JWT, { routes: [{ key: 'GET /', jwt: true }] }, async (api) => {
  const response = await fetch(api.url);
  expect([response.status, await response.text()]).toEqual([401, '{"message":"Unauthorized"}']);
});

conforms(
  'a body that API Gateway takes and Lambda does not: 413',
  'a guess: measured on a REST API, https://github.com/koki-develop/lgtm-generator/issues/10',
  {},
  async (api) => {
    api.answer(() => {
      throw new AwsError('RequestTooLargeException', 413, '9437184 byte payload is too large');
    });
    const response = await fetch(api.url, { method: 'POST', body: '{}' });
    expect([response.status, await response.json()]).toEqual([413, { message: 'Request Entity Too Large' }]);
  },
);

const ALLOW = {
  AllowOrigins: ['https://a.localhost'],
  AllowMethods: ['GET', 'POST'],
  AllowHeaders: ['authorization'],
  ExposeHeaders: ['etag'],
  MaxAge: 300,
};

conforms('a preflight request is answered without a route', CORS, { routes: [], cors: ALLOW }, async (api) => {
  const response = await fetch(`${api.url}/any`, {
    method: 'OPTIONS',
    headers: { origin: 'https://a.localhost', 'access-control-request-method': 'POST' },
  });
  expect(response.status).toBe(204);
  expect(cors(response)).toEqual({
    'access-control-allow-headers': 'authorization',
    'access-control-allow-methods': 'GET,POST',
    'access-control-allow-origin': 'https://a.localhost',
    'access-control-max-age': '300',
  });
});

conforms("configured CORS headers take the place of the function's", CORS, { cors: ALLOW }, async (api) => {
  api.answer(() => ({ statusCode: 200, headers: { 'Access-Control-Allow-Origin': '*', ETag: '"1"' }, body: '' }));
  const get = async (origin: string) => cors(await fetch(api.url, { headers: { origin } }));
  expect(await get('https://a.localhost')).toEqual({
    'access-control-allow-origin': 'https://a.localhost',
    'access-control-expose-headers': 'etag',
  });
  expect(await get('https://b.localhost')).toEqual({});
});

conforms(
  'the function is invoked as API Gateway, by the ARN of the route',
  LAMBDA,
  { routes: [{ key: 'GET /pets/{id}' }] },
  async (api) => {
    await fetch(`${api.url}/pets/1`);
    expect(api.principals).toEqual([
      {
        type: 'service',
        service: 'apigateway.amazonaws.com',
        sourceArn: 'arn:aws:execute-api:us-east-1:123456789012:abc123/$default/GET/pets/{id}',
      },
    ]);
  },
);

function cors(response: Response): Record<string, string> {
  return Object.fromEntries([...response.headers].filter(([name]) => name.startsWith('access-control-')));
}
