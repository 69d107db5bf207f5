import { createSign, generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Clock } from '../../../kernel/clock.ts';
import { type Distribution, type OriginRequest, startDistribution } from '../../../services/cloudfront/service.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const clock = new Clock();
const asked: OriginRequest[] = [];
let dir: string;
let distribution: Distribution;

const base = {
  TargetOriginId: 'media',
  ResponseHeadersPolicyId: 'headers',
  AllowedMethods: ['GET', 'HEAD', 'OPTIONS'],
};
const FUNCTION = 'arn:aws:cloudfront::123456789012:function/rewrite';

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'delivery-'));
  await mkdir(join(dir, 'player'));
  await writeFile(join(dir, 'player/index.html'), '<!doctype html>');
  await writeFile(join(dir, 'secret.txt'), 'secret');
  distribution = await startDistribution(
    { dir, clock, log: () => {} },
    {
      distribution: {
        id: 'E123',
        properties: {
          DistributionConfig: {
            Enabled: true,
            DefaultRootObject: 'index.html',
            DefaultCacheBehavior: base,
            CacheBehaviors: [
              { ...base, PathPattern: 'packed/*', Compress: true },
              { ...base, PathPattern: 'private/*/preview/*' },
              { ...base, PathPattern: 'private/*', TrustedKeyGroups: ['group'] },
              {
                ...base,
                PathPattern: '/old/*',
                FunctionAssociations: [{ EventType: 'viewer-request', FunctionARN: FUNCTION }],
              },
              {
                ...base,
                PathPattern: '/pointer/*',
                FunctionAssociations: [{ EventType: 'viewer-response', FunctionARN: 'moves' }],
              },
            ],
            Origins: [
              {
                Id: 'media',
                DomainName: 'media-bucket.s3.us-east-1.amazonaws.com',
                OriginAccessControlId: 'oac',
                S3OriginConfig: { OriginAccessIdentity: '' },
              },
            ],
          },
        },
      },
      originAccessControls: [
        {
          id: 'oac',
          properties: {
            OriginAccessControlConfig: {
              Name: 'oac',
              OriginAccessControlOriginType: 's3',
              SigningBehavior: 'always',
              SigningProtocol: 'sigv4',
            },
          },
        },
      ],
      responseHeadersPolicies: [
        {
          id: 'headers',
          properties: {
            ResponseHeadersPolicyConfig: {
              Name: 'headers',
              CorsConfig: {
                AccessControlAllowCredentials: false,
                AccessControlAllowHeaders: { Items: ['*'] },
                AccessControlAllowMethods: { Items: ['GET', 'HEAD'] },
                AccessControlAllowOrigins: { Items: ['*'] },
                AccessControlExposeHeaders: { Items: ['ETag'] },
                OriginOverride: true,
              },
              SecurityHeadersConfig: { ContentTypeOptions: { Override: true } },
            },
          },
        },
      ],
      functions: [
        {
          id: FUNCTION,
          properties: {
            Name: 'rewrite',
            FunctionCode: `function handler(event) {
              if (event.request.uri === '/old/loop') { for (;;) {} }
              if (event.request.uri === '/old/gone') return { statusCode: 410, headers: { 'x-why': { value: 'moved' } } };
              event.request.uri = event.request.uri.replace('/old/', '/new/');
              return event.request;
            }`,
          },
        },
        {
          id: 'moves',
          properties: {
            Name: 'moves',
            FunctionCode: `function handler({ response }) {
              delete response.headers.etag;
              return { ...response, statusCode: 302, headers: { ...response.headers, location: { value: 'b' } } };
            }`,
          },
        },
      ],
      publicKeys: [
        {
          id: 'K1',
          properties: { PublicKeyConfig: { EncodedKey: publicKey.export({ type: 'spki', format: 'pem' }) } },
        },
      ],
      keyGroups: [{ id: 'group', properties: { KeyGroupConfig: { Items: ['K1'], Name: 'group' } } }],
      async origin(request) {
        asked.push(request);
        if (request.path.includes('/tmp/'))
          return { status: 403, headers: {}, body: '<Error><Code>AccessDenied</Code></Error>' };
        if (request.path.endsWith('.m3u8') && request.path.includes('packed')) return playlist(request);
        return { status: 200, headers: { 'content-type': 'text/plain', etag: '"1"' }, body: 'media' };
      },
      extra: { '/player/': join(dir, 'player') },
      port: 0,
    },
  );
});
afterAll(async () => {
  await distribution.close();
  await rm(dir, { recursive: true });
});
beforeEach(() => {
  asked.length = 0;
});

/** As S3 answers: a playlist of 1,200 bytes, or of 900, or a part of one. */
function playlist({ path, headers }: OriginRequest) {
  const body = '#EXTM3U\n#EXT\n'.repeat(100).slice(0, path.includes('short') ? 900 : 1200);
  const common = { 'content-type': 'application/vnd.apple.mpegurl', etag: '"1"' };
  if (headers.range)
    return { status: 206, headers: { ...common, 'content-length': '1000' }, body: body.slice(0, 1000) };
  return { status: 200, headers: { ...common, 'content-length': String(body.length) }, body };
}

const get = (path: string, headers: Record<string, string> = {}) => fetch(distribution.url + path, { headers });

test('an object is requested from the bucket as CloudFront, with the distribution as source and without the query', async () => {
  const response = await get('/ada/hls/a%20b.m3u8?v=1', { range: 'bytes=0-3', 'if-none-match': '"2"', cookie: 'a=1' });
  expect([response.status, await response.text(), response.headers.get('etag')]).toEqual([200, 'media', '"1"']);
  expect(asked).toEqual([
    {
      principal: {
        type: 'service',
        service: 'cloudfront.amazonaws.com',
        sourceArn: 'arn:aws:cloudfront::123456789012:distribution/E123',
      },
      method: 'GET',
      path: '/media-bucket/ada/hls/a%20b.m3u8',
      headers: { range: 'bytes=0-3', 'if-none-match': '"2"' },
    },
  ]);
});

test('a HEAD request is forwarded, and answered without a body', async () => {
  const response = await fetch(`${distribution.url}/a`, { method: 'HEAD' });
  expect([response.status, await response.text(), asked[0]?.method]).toEqual([200, '', 'HEAD']);
});

/** Path, what the viewer takes and asks for, and the encoding, ETag and length of the answer. */
const ENCODINGS: [string, string, Record<string, string>, (string | null)[]][] = [
  ['gzip to one that takes it', '/packed/a.m3u8', { 'accept-encoding': 'gzip' }, ['gzip', 'W/"1"', null]],
  ['Brotli to one that takes both', '/packed/a.m3u8', { 'accept-encoding': 'gzip, br' }, ['br', 'W/"1"', null]],
  ['plain to one that takes neither', '/packed/a.m3u8', { 'accept-encoding': 'identity' }, [null, '"1"', '1200']],
  ['plain below 1,000 bytes', '/packed/short.m3u8', { 'accept-encoding': 'gzip' }, [null, '"1"', '900']],
  ['a range as it is', '/packed/a.m3u8', { 'accept-encoding': 'gzip', range: 'bytes=0-999' }, [null, '"1"', '1000']],
  [
    'plain where the behaviour does not compress',
    '/a/packed.m3u8',
    { 'accept-encoding': 'gzip' },
    [null, '"1"', '1200'],
  ],
];
test.each(ENCODINGS)('a playlist is sent %s', async (_, path, headers, expected) => {
  const response = await get(path, headers);
  const found = ['content-encoding', 'etag', 'content-length'].map((name) => response.headers.get(name));
  expect(found).toEqual(expected);
  expect(await response.text()).toBe('#EXTM3U\n#EXT\n'.repeat(100).slice(0, Number(expected[2] ?? 1200)));
});

test('a request of the root gets the default root object', async () => {
  await get('/');
  expect(asked[0]?.path).toBe('/media-bucket/index.html');
});

test('an error of S3 reaches the viewer unchanged', async () => {
  const response = await get('/tmp/x');
  expect([response.status, await response.text()]).toEqual([403, '<Error><Code>AccessDenied</Code></Error>']);
});

test('a method that the cache behaviour does not allow is refused', async () => {
  expect((await fetch(`${distribution.url}/a`, { method: 'PUT', body: 'x' })).status).toBe(403);
  expect(asked).toEqual([]);
});

test('a request with an origin is answered with CORS headers, and every request with security headers', async () => {
  const plain = await get('/a');
  expect(plain.headers.get('x-content-type-options')).toBe('nosniff');
  expect(plain.headers.get('access-control-allow-origin')).toBeNull();
  const cross = await get('/a', { origin: 'https://site.localhost' });
  expect(cross.headers.get('access-control-allow-origin')).toBe('*');
  expect(cross.headers.get('access-control-expose-headers')).toBe('ETag');
});

test('a viewer function may rewrite the request or answer it, and one that does not end is stopped', async () => {
  await get('/old/a');
  expect(asked[0]?.path).toBe('/media-bucket/new/a');
  const gone = await get('/old/gone');
  expect([gone.status, gone.headers.get('x-why')]).toEqual([410, 'moved']);
  expect((await get('/old/loop')).status).toBe(502);
  expect(asked).toHaveLength(1);
});

test('a viewer function may change the status of a response, and is not run for one of 400 or more', async () => {
  const moved = await fetch(`${distribution.url}/pointer/a`, { redirect: 'manual' });
  expect([moved.status, moved.headers.get('location'), moved.headers.get('etag')]).toEqual([302, 'b', null]);
  expect((await get('/pointer/tmp/a')).status).toBe(403);
});

test('static files are served beside the distribution, and no file above their directory', async () => {
  const page = await get('/player/');
  expect(await page.text()).toBe('<!doctype html>');
  expect(page.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
  expect((await get('/player/none.js')).status).toBe(404);
  const bare = await get('/player?media=x');
  expect([bare.redirected, bare.url]).toEqual([true, `${distribution.url}/player/?media=x`]);
  for (const path of ['/player/..%2fsecret.txt', '/player/%2e%2e/secret.txt', '/player/../secret.txt']) {
    expect(await rawGet(path), path).not.toContain('secret');
  }
});

const epoch = (seconds: number) => Math.floor(clock.now() / 1000) + seconds;
const cloudFrontBase64 = (data: Buffer) =>
  data.toString('base64').replace(/[+=/]/g, (character) => ({ '+': '-', '=': '_', '/': '~' })[character] ?? '');

function signed(
  policy: object,
  options: { key?: typeof privateKey; id?: string; hash?: 'SHA1' | 'SHA256' } = {},
): string {
  const text = JSON.stringify(policy);
  const signature = createSign(`RSA-${options.hash ?? 'SHA1'}`)
    .update(text)
    .sign(options.key ?? privateKey);
  return [
    `CloudFront-Policy=${cloudFrontBase64(Buffer.from(text))}`,
    `CloudFront-Signature=${cloudFrontBase64(signature)}`,
    `CloudFront-Key-Pair-Id=${options.id ?? 'K1'}`,
    ...(options.hash ? [`CloudFront-Hash-Algorithm=${options.hash}`] : []),
  ].join('; ');
}

const policy = (resource: string, condition: object = {}) => ({
  Statement: [{ Resource: resource, Condition: { DateLessThan: { 'AWS:EpochTime': epoch(600) }, ...condition } }],
});
const host = () => new URL(distribution.url).host;
const mine = () => `http*://${host()}/private/ada/*`;

test('a private object requires a signature, and previews, whose behaviour comes first, do not', async () => {
  const refused = await get('/private/ada/a.m3u8');
  expect(refused.status).toBe(403);
  expect(await refused.text()).toContain('<Code>MissingKey</Code>');
  expect((await get('/private/ada/preview/a.m3u8')).status).toBe(200);
});

test.each([
  ['a custom policy with wildcards', () => signed(policy(mine()))],
  ['a policy written for https', () => signed(policy(`https://${host()}/private/ada/*`))],
  ['SHA-256', () => signed(policy(mine()), { hash: 'SHA256' })],
  [
    'an address range that holds the viewer',
    () => signed(policy(mine(), { IpAddress: { 'AWS:SourceIp': '127.0.0.0/8' } })),
  ],
  [
    'a canned policy',
    () => {
      const expires = epoch(60);
      const text = `{"Statement":[{"Resource":"http://${host()}/private/ada/a.m3u8","Condition":{"DateLessThan":{"AWS:EpochTime":${expires}}}}]}`;
      const signature = cloudFrontBase64(createSign('RSA-SHA1').update(text).sign(privateKey));
      return `CloudFront-Expires=${expires}; CloudFront-Signature=${signature}; CloudFront-Key-Pair-Id=K1`;
    },
  ],
])('a private object is served with %s', async (_title, cookie) => {
  expect((await get('/private/ada/a.m3u8', { cookie: cookie() })).status).toBe(200);
});

test.each([
  ['an expired policy', () => signed(policy(mine(), { DateLessThan: { 'AWS:EpochTime': epoch(-1) } })), 'AccessDenied'],
  [
    'a policy that is not valid yet',
    () => signed(policy(mine(), { DateGreaterThan: { 'AWS:EpochTime': epoch(60) } })),
    'AccessDenied',
  ],
  ["another creator's policy", () => signed(policy(`http*://${host()}/private/bob/*`)), 'AccessDenied'],
  ['another address', () => signed(policy(mine(), { IpAddress: { 'AWS:SourceIp': '10.0.0.1' } })), 'AccessDenied'],
  ["a stranger's signature", () => signed(policy(mine()), { key: stranger.privateKey }), 'AccessDenied'],
  ['an unknown key', () => signed(policy(mine()), { id: 'K9' }), 'InvalidKey'],
  ['an invalid policy', () => signed({ hello: 1 }), 'AccessDenied'],
  [
    'a policy that was changed after signing',
    () => {
      const [, ...rest] = signed(policy(`http*://${host()}/private/bob/*`)).split('; ');
      return [`CloudFront-Policy=${cloudFrontBase64(Buffer.from(JSON.stringify(policy(mine()))))}`, ...rest].join('; ');
    },
    'AccessDenied',
  ],
])('a private object is refused with %s', async (_title, cookie, code) => {
  const response = await get('/private/ada/a.m3u8', { cookie: cookie() });
  expect([response.status, await response.text()]).toEqual([403, expect.stringContaining(`<Code>${code}</Code>`)]);
  expect(asked).toEqual([]);
});

test.each([
  '/%70rivate/ada/a.m3u8',
  '/private%2Fada%2Fa.m3u8',
  '/x/../private/ada/a.m3u8',
  '//private/ada/a.m3u8',
])('a path written as %s requires the signature, too', async (path) => {
  expect(await rawGet(path)).toContain('MissingKey');
  expect(asked).toEqual([]);
});

test('an unsupported property is refused, and the resource is named', async () => {
  const none = { originAccessControls: [], responseHeadersPolicies: [], functions: [], publicKeys: [], keyGroups: [] };
  const distribution = { id: 'E9', properties: { DistributionConfig: { Restrictions: {} } } };
  const starting = startDistribution(
    { dir, clock, log: () => {} },
    { ...none, distribution, port: 0, origin: async () => ({ status: 200 }) },
  );
  await expect(starting).rejects.toThrow(/^E9: [\s\S]*"Restrictions"/);
});

/** fetch tidies paths up. */
function rawGet(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(distribution.url);
    request({ hostname, port, path }, (response) => {
      let text = '';
      response
        .setEncoding('utf8')
        .on('data', (chunk) => (text += chunk))
        .once('end', () => resolve(text));
    })
      .once('error', reject)
      .end();
  });
}
