import { readdir, readFile } from 'node:fs/promises';
import { type OutgoingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type ListenOptions, listen } from '../../../kernel/http-server.ts';

/** A server whose answers wait for `answer`; `asked` resolves with its first request. */
async function waiting() {
  let answer = () => {};
  let ask = () => {};
  const released = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const listening = await listen(
    async (_, outgoing) => {
      ask();
      await released;
      outgoing.end('done');
    },
    { port: 0, pages: 'loopback' },
  );
  return { listening, answer, asked };
}

test('a request that is being served ends before the server closes, and no further request is accepted', async () => {
  const { listening, answer, asked } = await waiting();
  const response = fetch(listening.url).then((it) => it.text());
  await asked;
  const closed = listening.close(60_000);
  await expect(fetch(listening.url)).rejects.toThrow('fetch failed');
  answer();
  expect(await response).toBe('done');
  await closed;
});

test('a request that is being served is cut when the server closes without grace', async () => {
  const { listening, asked } = await waiting();
  const response = fetch(listening.url);
  await Promise.all([asked, expect(response).rejects.toThrow('fetch failed'), asked.then(() => listening.close())]);
});

test('a port that is in use is an error', async () => {
  const { listening } = await waiting();
  const port = Number(new URL(listening.url).port);
  await expect(listen(() => {}, { port, pages: 'loopback' })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await listening.close();
});

/** What a request with these headers, raw, is answered; PORT in them is the server's own. */
async function knock(headers: OutgoingHttpHeaders, pages: ListenOptions['pages'] = 'loopback') {
  let served = 0;
  const { url, close } = await listen(
    (_, outgoing) => {
      served += 1;
      outgoing.end();
    },
    { port: 0, pages },
  );
  const { port } = new URL(url);
  const sent = JSON.parse(JSON.stringify(headers).replaceAll('PORT', port));
  const status = await new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method: 'POST', headers: sent }, (response) =>
      resolve(response.resume().statusCode),
    );
    asked.once('error', reject);
    asked.end('a body');
  });
  await close();
  return { status, served };
}
const SERVED = { status: 200, served: 1 };
const REFUSED = { status: 403, served: 0 };

test.each([
  ['127.0.0.1:PORT', SERVED],
  ['localhost:PORT', SERVED],
  ['LOCALHOST:PORT', SERVED],
  ['[::1]:PORT', SERVED],
  ['bucket.localhost:PORT', SERVED],
  ['my.bucket.localhost:PORT', SERVED],
  ['evil.example:PORT', REFUSED],
  ['127.0.0.1.nip.io:PORT', REFUSED],
  ['localhost.evil.example:PORT', REFUSED],
  ['evil-localhost:PORT', REFUSED],
  ['localhost.:PORT', REFUSED],
  ['127.0.0.1', REFUSED],
  ['127.0.0.1:1', REFUSED],
  ['0x7f000001:PORT', REFUSED],
  ['0.0.0.0:PORT', REFUSED],
  ['192.168.0.2:PORT', REFUSED],
  ['127.0.0.1@evil.example:PORT', REFUSED],
  ['evil@127.0.0.1:PORT', REFUSED],
  ['127.0.0.1:PORT/x', REFUSED],
])('Host: %s', async (host, expected) => {
  expect(await knock({ host })).toEqual(expected);
});

test.each<[string, OutgoingHttpHeaders, object]>([
  ['a page of loopback', { origin: 'http://localhost:5173', 'sec-fetch-site': 'cross-site' }, SERVED],
  ['a page of another port', { origin: 'http://127.0.0.1:5173', 'sec-fetch-site': 'same-site' }, SERVED],
  ['its own page', { origin: 'http://127.0.0.1:PORT', 'sec-fetch-site': 'same-origin' }, SERVED],
  ['its own page, without Origin', { 'sec-fetch-site': 'same-origin' }, SERVED],
  ['an address that the user typed', { 'sec-fetch-site': 'none' }, SERVED],
  ['an image of a loopback page', { 'sec-fetch-site': 'same-site', referer: 'http://127.0.0.1:5173/a' }, SERVED],
  ['a page of elsewhere', { origin: 'https://evil.example' }, REFUSED],
  ['a page that calls itself loopback', { origin: 'http://127.0.0.1.evil.example' }, REFUSED],
  ['a sandboxed page', { origin: 'null' }, REFUSED],
  ['an image of elsewhere', { 'sec-fetch-site': 'cross-site', referer: 'https://evil.example/' }, REFUSED],
  ['an image that names no page', { 'sec-fetch-site': 'cross-site' }, REFUSED],
  ['an image that names no page, of the same site', { 'sec-fetch-site': 'same-site' }, REFUSED],
  [
    'a WebSocket of elsewhere',
    { origin: 'https://evil.example', upgrade: 'websocket', connection: 'Upgrade' },
    REFUSED,
  ],
])('%s', async (_, headers, expected) => {
  expect(await knock(headers)).toEqual(expected);
});

test.each<[string, string, object]>([
  ["the server's own", 'http://127.0.0.1:PORT', SERVED],
  ['another of loopback', 'http://127.0.0.1:5173', REFUSED],
  ['one of elsewhere', 'https://evil.example', REFUSED],
])("where only the server's own pages may call: %s", async (_, origin, expected) => {
  expect(await knock({ origin }, 'own')).toEqual(expected);
});

test('every local server is opened by this module', async () => {
  const root = join(import.meta.dirname, '../../..');
  // Of node_modules and tests, nothing is part of a cloud.
  const files = (await readdir(root, { recursive: true })).filter((file) =>
    /^(?!node_modules|test).*\.m?[jt]s$/.test(file),
  );
  const opening = [];
  for (const file of files) {
    const text = await readFile(join(root, file), 'utf8');
    if (/createServer[^;]*from 'node:https?'/.test(text)) opening.push(file);
  }
  expect(opening).toEqual(['kernel/http-server.ts']);
});

/** What a server that is open to other machines answers a GET with these headers. It is asked by a proxy, as https://media.example. */
async function knockAtOpen(headers: OutgoingHttpHeaders, method = 'GET') {
  let served = 0;
  const open = { address: '127.0.0.1', origin: 'https://media.example' };
  const port = await freePort();
  const { close } = await listen(
    (_, outgoing) => {
      served += 1;
      outgoing.end();
    },
    { port, pages: 'own', open },
  );
  const status = await new Promise((resolve, reject) => {
    const sent = { host: 'media.example', ...headers };
    const asked = request({ host: '127.0.0.1', port, method, headers: sent }, (response) =>
      resolve(response.resume().statusCode),
    );
    asked.once('error', reject);
    asked.end();
  });
  await close();
  return { status, served };
}

async function freePort(): Promise<number> {
  const { url, close } = await listen(() => {}, { port: 0, pages: 'own' });
  await close();
  return Number(new URL(url).port);
}

const LINK = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };

test.each<[string, OutgoingHttpHeaders, typeof SERVED | typeof REFUSED]>([
  ['no page', {}, SERVED],
  ['its name in capitals', { host: 'MEDIA.example' }, SERVED],
  ['its own page', { origin: 'https://media.example', 'sec-fetch-site': 'same-origin' }, SERVED],
  ['a link of another page', { ...LINK, referer: 'https://mail.example/' }, SERVED],
  ['a loopback name', { host: 'localhost' }, REFUSED],
  ['its address', { host: '127.0.0.1' }, REFUSED],
  ['another name', { host: 'evil.example' }, REFUSED],
  ['another port', { host: 'media.example:8080' }, REFUSED],
  ['a page of its name by http', { origin: 'http://media.example' }, REFUSED],
  ['a page of another name', { origin: 'https://evil.example' }, REFUSED],
  ['a page without an origin', { origin: 'null' }, REFUSED],
  ['a loopback page', { origin: 'http://localhost:3000' }, REFUSED],
  ['a frame of another page', { ...LINK, 'sec-fetch-dest': 'iframe' }, REFUSED],
  ['a picture of another page', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, REFUSED],
])('a server that is open to other machines decides about %s', async (_what, headers, expected) => {
  expect(await knockAtOpen(headers)).toEqual(expected);
});

test('a server that is open to other machines takes no form of another page', async () => {
  expect(await knockAtOpen({ ...LINK, origin: 'https://evil.example' }, 'POST')).toEqual(REFUSED);
  expect(await knockAtOpen(LINK, 'POST')).toEqual(REFUSED);
});
