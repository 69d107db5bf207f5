import { type IncomingHttpHeaders, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATOR, tokenOf } from '../support/api.ts';
import { testCloud } from '../support/cloud.ts';
import { freePort } from '../support/free-port.ts';
import { drop, reached, testVideo } from '../support/pipeline.ts';

/** A one-machine edition behind a proxy that ends TLS for https://media.example. */
const PUBLIC = 'https://media.example';
let port: number;
let booted: Awaited<ReturnType<typeof testCloud>>;
/** What was asked of the services by anyone but functions and jobs. */
const calls: string[] = [];

beforeAll(async () => {
  port = await freePort();
  booted = await testCloud({
    open: { address: '127.0.0.1', port, url: PUBLIC },
    environment: { DELIVERY_URL: PUBLIC },
    hooks: {
      before: ({ principal, operation }) => void (principal.type === 'anonymous' && calls.push(operation)),
    },
  });
});
afterAll(() => booted[Symbol.asyncDispose]());

/** What the proxy gets for a request of another machine. */
function ask(method: string, path: string, headers: IncomingHttpHeaders = {}, body = '') {
  return new Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>((resolve, reject) => {
    const sent = { host: 'media.example', ...headers };
    const asked = request({ host: '127.0.0.1', port, method, path, headers: sent }, async (response) => {
      let text = '';
      for await (const chunk of response.setEncoding('utf8')) text += chunk;
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
    });
    asked.once('error', reject);
    asked.end(body);
  });
}

describe('the door to other machines', () => {
  it('has the player, the stream and, for a token, the API, whose addresses are the public ones', async () => {
    const { cloud } = booted;
    const file = await testVideo(`${cloud.stateDir}/clip.mp4`, { seconds: 1 });
    const id = await drop(cloud, 'drop/ann/default/clip.mp4', { file });
    await reached(cloud, id, 'ready', { timeoutMs: 120_000 });
    const authorization = `Bearer ${await tokenOf(cloud, 'ann')}`;
    const media = await ask('GET', `/_api/media/${id}`, { authorization });
    const { playback } = JSON.parse(media.text);
    expect(playback.hls).toBe(`${PUBLIC}/ann/hls/${id}/master.m3u8`);
    expect(new Set(Object.values<string>(playback).map((url) => new URL(url).origin))).toEqual(new Set([PUBLIC]));
    const stream = await ask('GET', new URL(playback.hls).pathname);
    expect([stream.status, stream.text.split('\n')[0]]).toEqual([200, '#EXTM3U']);
    const player = await ask('GET', '/player/');
    expect([player.status, player.headers['cross-origin-resource-policy']]).toEqual([200, 'same-origin']);
    expect(player.text).toContain('player.js');
    expect((await ask('GET', '/_api/openapi.json')).status).toBe(200);
    expect((await ask('GET', '/_api/media')).status).toBe(401);
  }, 180_000);

  it('leads to no AWS service, no token and no state', async () => {
    calls.length = 0;
    const { outputs } = booted.cloud;
    const json = { 'content-type': 'application/x-amz-json-1.0' };
    const asked = [
      ask('GET', `/${outputs.UploadsBucket}/?list-type=2`),
      ask('PUT', `/${outputs.UploadsBucket}/drop/ann/default/x.mp4`, {}, 'x'),
      ask('POST', '/', { ...json, 'x-amz-target': 'DynamoDB_20120810.ListTables' }, '{}'),
      ask('POST', '/v1/submitjob', json, '{}'),
      ask('POST', '/dev/token', json, JSON.stringify({ username: 'ann', scopes: OPERATOR })),
      ask('POST', '/oauth2/token', {}, 'grant_type=client_credentials'),
      ask('GET', '/_api/../dev/token'),
      ask('GET', '/player/../../../.dropreel/cloud.json'),
      ask('GET', '/player/%2e%2e/%2e%2e/package.json'),
    ];
    const answers = (await Promise.all(asked)).map(({ status }) => status);
    expect(answers).toEqual([403, 403, 403, 403, 403, 403, 401, 403, 403]);
    // CloudFront's part asks the bucket of media, and nothing else.
    expect(calls).toEqual([]);
  });

  it('answers by its one name only', async () => {
    for (const host of ['127.0.0.1', `localhost:${port}`, 'evil.example']) {
      expect(await ask('GET', '/player/', { host })).toMatchObject({
        status: 403,
        text: 'This server answers to media.example only.\n',
      });
    }
  });
});

it('over http the door has no API, because tokens would be sent in the clear', async () => {
  const doorPort = await freePort();
  const url = `http://127.0.0.1:${doorPort}`;
  await using plain = await testCloud({ open: { address: '127.0.0.1', port: doorPort, url } });
  const answer = await fetch(`${url}/_api/openapi.json`);
  expect([answer.status, await answer.text()]).toEqual([
    404,
    'The API is served by an https URL only, because it takes access tokens.\n',
  ]);
  expect((await fetch(`${url}/player/`)).status).toBe(200);
  expect(plain.cloud.deliveryUrl).not.toBe(url);
});
