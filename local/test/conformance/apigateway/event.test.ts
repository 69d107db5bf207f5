/**
 * The event that a request becomes, read from a function that answers with its event. `--echo URL` names such an API that
 * is deployed elsewhere: an HTTP API with one route, `$default`, payload format 2.0.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { json } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { startApi } from '../../support/api-world.ts';
import { OTHER } from '../target.ts';
import { LAMBDA, MEASURED_PATHS, MEASURED_TYPES } from './pages.ts';

const ECHO = process.env.DROPREEL_CONFORMANCE_ECHO;
const IP = /^\d+\.\d+\.\d+\.\d+$/;

interface Sent {
  method?: string;
  path?: string;
  /** Names and values in turn, sent as they are. */
  headers?: string[];
  body?: string;
}

function becomes(title: string, source: string, sent: Sent, expected: (host: string) => object): void {
  test(`${title} (${source})`, async ({ skip }) => {
    skip(OTHER !== undefined && ECHO === undefined, 'it needs --echo, the URL of an API that answers with its event');
    if (ECHO) return expect(await send(ECHO, sent)).toEqual(expected(new URL(ECHO).host));
    const api = await startApi({ routes: [{ key: '$default' }] });
    api.answer((event) => event);
    try {
      expect(await send(api.url, sent)).toEqual(expected(new URL(api.url).host));
    } finally {
      await api.close();
    }
  });
}

becomes(
  'the event of format 2.0',
  LAMBDA,
  {
    method: 'POST',
    path: '/my/path?parameter1=value1&parameter1=value2&parameter2=value',
    headers: ['Header1', 'value1', 'User-Agent', 'agent', 'Content-Type', 'text/plain'],
    body: 'Hello from Lambda',
  },
  (host) => ({
    version: '2.0',
    routeKey: '$default',
    rawPath: '/my/path',
    rawQueryString: 'parameter1=value1&parameter1=value2&parameter2=value',
    headers: expect.objectContaining({
      header1: 'value1',
      'user-agent': 'agent',
      'content-length': '17',
      host,
      'x-forwarded-for': expect.stringMatching(IP),
    }),
    queryStringParameters: { parameter1: 'value1,value2', parameter2: 'value' },
    requestContext: {
      accountId: expect.stringMatching(/^\d{12}$/),
      apiId: expect.stringMatching(/^[a-z0-9]+$/),
      domainName: host,
      domainPrefix: expect.any(String),
      http: {
        method: 'POST',
        path: '/my/path',
        protocol: 'HTTP/1.1',
        sourceIp: expect.stringMatching(IP),
        userAgent: 'agent',
      },
      requestId: expect.any(String),
      routeKey: '$default',
      stage: '$default',
      time: expect.stringMatching(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/),
      timeEpoch: expect.any(Number),
    },
    body: 'Hello from Lambda',
    isBase64Encoded: false,
  }),
);

becomes('cookies have a field of their own', LAMBDA, { headers: ['Cookie', 'cookie1=1; cookie2=2'] }, () =>
  expect.objectContaining({
    cookies: ['cookie1=1', 'cookie2=2'],
    headers: expect.not.objectContaining({ cookie: expect.anything() }),
  }),
);

becomes(
  'several headers of one name are joined by commas',
  LAMBDA,
  { headers: ['Header2', 'value1', 'header2', 'value2'] },
  () => expect.objectContaining({ headers: expect.objectContaining({ header2: 'value1,value2' }) }),
);

becomes('the path is decoded, the raw query is not', MEASURED_PATHS, { path: '/a%20b/%C3%A4?q=c%20d' }, () =>
  expect.objectContaining({ rawPath: '/a b/ä', rawQueryString: 'q=c%20d', queryStringParameters: { q: 'c d' } }),
);

for (const [type, encoded] of [
  ['text/csv', false],
  ['application/json; charset=utf-8', false],
  ['application/xml', false],
  ['application/javascript', false],
  ['application/x-www-form-urlencoded', true],
  ['application/octet-stream', true],
  ['', true],
] as const) {
  becomes(
    `a body of type ${type || '(none)'} is ${encoded ? 'in base64' : 'text'}`,
    MEASURED_TYPES,
    { method: 'POST', headers: type ? ['content-type', type] : [], body: 'body' },
    () => expect.objectContaining({ body: encoded ? 'Ym9keQ==' : 'body', isBase64Encoded: encoded }),
  );
}

/** fetch joins headers and sets types of its own. Resolves to the answer's JSON. */
function send(base: string, { method = 'GET', path = '/', headers = [], body = '' }: Sent): Promise<unknown> {
  const { host, protocol } = new URL(base);
  const length = body ? ['content-length', String(body.length)] : [];
  const request = protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const options = { method, headers: ['host', host, ...length, ...headers] };
    const sent = request(base + path, options, (response) => json(response).then(resolve, reject));
    sent.once('error', reject).end(body);
  });
}
