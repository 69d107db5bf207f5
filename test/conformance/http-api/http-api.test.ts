import { request } from 'node:http';
import { expect, test } from 'vitest';
import { type ApiWorld, type RouteOptions, startApi } from '../../unit/local/http-api/setup.ts';

/** Each case names what says so: a page of AWS's documentation, or a measurement on AWS that somebody published. */
const DOCS = 'https://docs.aws.amazon.com/apigateway/latest/developerguide/';
const LAMBDA = `${DOCS}http-api-develop-integrations-lambda.html`;
const ROUTES = `${DOCS}http-api-develop-routes.html`;
const JWT = `${DOCS}http-api-jwt-authorizer.html`;
const CORS = `${DOCS}http-api-cors.html`;
const QUOTAS = `${DOCS}http-api-quotas.html`;
const MEASURED_TYPES = 'measured on AWS: https://github.com/ministackorg/ministack/pull/766';
const MEASURED_PATHS = 'measured on AWS: https://github.com/middleapi/standard-server/pull/93';

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

conforms('the event of format 2.0', LAMBDA, {}, async (api) => {
  await fetch(`${api.url}/my/path?parameter1=value1&parameter1=value2&parameter2=value`, {
    method: 'POST',
    headers: { Header1: 'value1', Cookie: 'cookie1=1; cookie2=2', 'user-agent': 'agent', 'content-type': 'text/plain' },
    body: 'Hello from Lambda',
  });
  const host = new URL(api.url).host;
  expect(api.events).toEqual([
    {
      version: '2.0',
      routeKey: '$default',
      rawPath: '/my/path',
      rawQueryString: 'parameter1=value1&parameter1=value2&parameter2=value',
      cookies: ['cookie1=1', 'cookie2=2'],
      headers: expect.objectContaining({
        header1: 'value1',
        'user-agent': 'agent',
        'content-length': '17',
        host,
        'x-forwarded-for': '127.0.0.1',
      }),
      queryStringParameters: { parameter1: 'value1,value2', parameter2: 'value' },
      requestContext: {
        accountId: '123456789012',
        apiId: 'abc123',
        domainName: host,
        domainPrefix: expect.any(String),
        http: { method: 'POST', path: '/my/path', protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'agent' },
        requestId: expect.any(String),
        routeKey: '$default',
        stage: '$default',
        time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
        timeEpoch: expect.any(Number),
      },
      body: 'Hello from Lambda',
      isBase64Encoded: false,
    },
  ]);
  expect(api.events[0]?.headers).not.toHaveProperty('cookie');
});

conforms('several headers of one name are joined by commas', LAMBDA, {}, async (api) => {
  await raw(api.url, '/', ['Header2', 'value1', 'header2', 'value2']);
  expect(api.events[0]?.headers).toMatchObject({ header2: 'value1,value2' });
});

conforms('the path is decoded, the raw query is not', MEASURED_PATHS, {}, async (api) => {
  await fetch(`${api.url}/a%20b/%C3%A4?q=c%20d`);
  expect(api.events[0]).toMatchObject({
    rawPath: '/a b/ä',
    rawQueryString: 'q=c%20d',
    queryStringParameters: { q: 'c d' },
  });
});

conforms('path parameters are decoded', ROUTES, { routes: [{ key: 'GET /pets/{petID}' }] }, async (api) => {
  await fetch(`${api.url}/pets/a%20b`);
  expect(api.events[0]).toMatchObject({ routeKey: 'GET /pets/{petID}', pathParameters: { petID: 'a b' } });
});

for (const [type, encoded] of [
  ['text/csv', false],
  ['application/json; charset=utf-8', false],
  ['application/xml', false],
  ['application/javascript', false],
  ['application/x-www-form-urlencoded', true],
  ['application/octet-stream', true],
  ['', true],
] as const) {
  conforms(
    `a body of type ${type || '(none)'} is ${encoded ? 'in base64' : 'text'}`,
    MEASURED_TYPES,
    {},
    async (api) => {
      await raw(api.url, '/', type ? ['content-type', type] : [], 'POST', 'body');
      expect(api.events[0]).toMatchObject({ body: encoded ? 'Ym9keQ==' : 'body', isBase64Encoded: encoded });
    },
  );
}

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

const ALLOW = {
  AllowOrigins: ['https://a.example'],
  AllowMethods: ['GET', 'POST'],
  AllowHeaders: ['authorization'],
  ExposeHeaders: ['etag'],
  MaxAge: 300,
};

conforms('a preflight request is answered without a route', CORS, { routes: [], cors: ALLOW }, async (api) => {
  const response = await fetch(`${api.url}/any`, {
    method: 'OPTIONS',
    headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' },
  });
  expect(response.status).toBe(204);
  expect(cors(response)).toEqual({
    'access-control-allow-headers': 'authorization',
    'access-control-allow-methods': 'GET,POST',
    'access-control-allow-origin': 'https://a.example',
    'access-control-max-age': '300',
  });
});

conforms("configured CORS headers take the place of the function's", CORS, { cors: ALLOW }, async (api) => {
  api.answer(() => ({ statusCode: 200, headers: { 'Access-Control-Allow-Origin': '*', ETag: '"1"' }, body: '' }));
  const get = async (origin: string) => cors(await fetch(api.url, { headers: { origin } }));
  expect(await get('https://a.example')).toEqual({
    'access-control-allow-origin': 'https://a.example',
    'access-control-expose-headers': 'etag',
  });
  expect(await get('https://b.example')).toEqual({});
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

/** fetch joins headers and sets types of its own. */
function raw(url: string, path: string, headers: string[], method = 'GET', body = ''): Promise<void> {
  return new Promise((resolve, reject) => {
    const length = body ? ['content-length', String(body.length)] : [];
    const sent = request(
      url + path,
      { method, headers: ['host', new URL(url).host, ...length, ...headers] },
      (response) => {
        response.resume().once('end', resolve);
      },
    );
    sent.once('error', reject).end(body);
  });
}
