import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fromServer } from '../../../services/cloudfront/http-origin.ts';
import { readDistribution } from '../../../services/cloudfront/template.ts';

const server = createServer(({ url, method, headers }, answer) => {
  if (url === '/moved') answer.writeHead(301, { location: '/there' }).end();
  else answer.writeHead(200, { 'content-type': 'text/html' }).end(`${method} ${url} ${headers.cookie ?? 'no cookie'}`);
});
let host: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

it('an HTTP origin gives what it answers', async () => {
  const { status, headers, body } = await fromServer(`http://${host}/a`, 'GET');
  expect([status, headers?.['content-type'], await text(body as Readable)]).toEqual([
    200,
    'text/html',
    'GET /a no cookie',
  ]);
});

it("a redirect of the origin is the viewer's to follow", async () => {
  const { status, headers } = await fromServer(`http://${host}/moved`, 'GET');
  expect([status, headers?.location]).toEqual([301, '/there']);
});

const distributionOf = (origin: object) => ({
  distribution: {
    id: 'E1',
    properties: {
      DistributionConfig: {
        Enabled: true,
        DefaultCacheBehavior: { TargetOriginId: 'pages' },
        Origins: [{ Id: 'pages', ...origin }],
      },
    },
  },
  ...{ originAccessControls: [], responseHeadersPolicies: [], functions: [], publicKeys: [], keyGroups: [] },
});

it.each([
  ['a server of this cloud', '127.0.0.1:4567', undefined],
  ['a server elsewhere', 'www.example.com', /those of this cloud are served/],
])('of HTTP origins, %s: %s', (_, DomainName, refused) => {
  const read = () =>
    readDistribution(distributionOf({ DomainName, CustomOriginConfig: { OriginProtocolPolicy: 'https-only' } }));
  if (refused) expect(read).toThrow(refused);
  else expect(read().behaviors[0]?.httpHost).toBe(DomainName);
});

it('an origin that is neither a bucket nor says that it is a server is refused', () => {
  expect(() => readDistribution(distributionOf({ DomainName: '127.0.0.1:4567' }))).toThrow('an origin is a bucket');
});
