import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MediaView } from '../../core/contracts/http/media.ts';
import { type Api, apiAs } from '../support/api.ts';
import { findChromium } from '../support/browser.ts';
import { testCloud } from '../support/cloud.ts';
import { keyedApp } from '../support/keyed-app.ts';
import { drop, reached, testVideo } from '../support/pipeline.ts';

/** Names under .localhost lead to this machine, and a browser takes them for secure, so that Secure cookies hold without TLS. */
const DOMAINS = {
  deliveryDomain: 'media.site.localhost',
  deliveryCertificateArn: 'arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555',
  cookieDomain: 'site.localhost',
};

let app: Awaited<ReturnType<typeof keyedApp>>;
let booted: Awaited<ReturnType<typeof testCloud>>;
let api: Api;
let folder: string;
let mediaId: string;
let playback: NonNullable<MediaView['playback']>;

beforeAll(async () => {
  app = await keyedApp(DOMAINS);
  booted = await testCloud({ assembly: app.assembly, stateDir: app.stateDir });
  folder = await mkdtemp(join(tmpdir(), 'dropreel-cookies-'));
  const file = await testVideo(join(folder, 'film.mp4'), { seconds: 2 });
  api = await apiAs(booted.cloud, 'ann');
  await api('POST', '/collections', { body: { id: 'films', playback: 'private' } });
  mediaId = await drop(booted.cloud, 'drop/ann/films/film.mp4', { file });
  await reached(booted.cloud, mediaId, 'ready', { timeoutMs: 120_000 });
  const view = MediaView.parse((await api('GET', `/media/${mediaId}`)).body);
  if (!view.playback) throw new Error(`It is ${view.state}, and cannot be played.`);
  playback = view.playback;
});
afterAll(async () => {
  await booted?.[Symbol.asyncDispose]();
  await app?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const sessionLines = async () => (await api('POST', `/media/${mediaId}/playback-session`)).headers.getSetCookie();

it('a session sets three cookies, for the parent domain and for the media item only', async () => {
  const lines = (await sessionLines()).map((line) => line.replace(/=[^;]+/, '=…'));
  const attributes = `Domain=site.localhost; Path=/private/ann/${mediaId}/; Max-Age=43200; Secure; HttpOnly; SameSite=Lax`;
  expect(lines).toEqual([
    `CloudFront-Policy=…; ${attributes}`,
    `CloudFront-Signature=…; ${attributes}`,
    `CloudFront-Key-Pair-Id=…; ${attributes}`,
  ]);
});

const browserPath = findChromium();

describe.runIf(browserPath)('a page at www.site.localhost with only a video element', () => {
  let site: Server;
  let browser: Browser;

  beforeAll(async () => {
    // The site's own server: it has the token, and repeats the lines. `/with/hls` has them, `/without/hls` does not.
    site = createServer(async (request, response) => {
      const [, session, output] = (request.url ?? '').split('/');
      response.setHeader('Content-Type', 'text/html');
      if (session === 'with') response.setHeader('Set-Cookie', await sessionLines());
      // Chromium's HLS player reads ranges of another origin's file only with CORS.
      const hls = `<video muted crossorigin="use-credentials" src="${playback.hls}"></video>`;
      response.end(output === 'hls' ? hls : `<video muted src="${playback.mp4}"></video>`);
    });
    await new Promise<void>((done) => site.listen(0, '127.0.0.1', done));
    const flags = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
    browser = await chromium.launch({ executablePath: browserPath ?? '', args: flags });
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  const at = (path: string) => `http://www.site.localhost:${(site.address() as AddressInfo).port}/${path}`;

  /** What delivery answered to a page of its own, until the video plays or fails; `null` where the browser hid the answer from the page. */
  async function watch(path: string, until: string) {
    const context = await browser.newContext({ javaScriptEnabled: true });
    const page: Page = await context.newPage();
    const answers: [string, number][] = [];
    page.on('response', (response) => {
      const { hostname, pathname } = new URL(response.url());
      if (hostname === DOMAINS.deliveryDomain) answers.push([pathname.split('/').at(-1) ?? '', response.status()]);
    });
    await page.goto(at(path));
    await page.waitForFunction(until);
    const cookies = await context.cookies();
    await context.close();
    return { answers, cookies };
  }
  const PLAYS = `document.querySelector('video').readyState >= 3`;
  const FAILS = `document.querySelector('video').error !== null`;

  it('is refused without the cookies', async () => {
    expect((await watch('without/mp4', FAILS)).cookies).toEqual([]);
    expect((await watch('without/hls', FAILS)).answers.filter(([, status]) => status < 400)).toEqual([]);
  });

  it('plays the MP4 with them', async () => {
    const { answers, cookies } = await watch('with/mp4', PLAYS);
    expect(new Set(answers.map(([, status]) => status))).toEqual(new Set([206]));
    expect(cookies.map(({ domain, path, secure, httpOnly }) => [domain, path, secure, httpOnly])).toEqual(
      Array(3).fill(['.site.localhost', `/private/ann/${mediaId}/`, true, true]),
    );
  });

  // As Safari's does: playlists and segments are fetched by the browser itself, and no script can add anything to an address.
  it("plays the stream with them in the browser's own player", async () => {
    const { answers } = await watch('with/hls', PLAYS);
    expect(answers.filter(([, status]) => status >= 400)).toEqual([]);
    expect(answers.map(([name]) => name)).toEqual(expect.arrayContaining(['master.m3u8']));
    expect(answers.filter(([name]) => /\.mp4$/.test(name)).length).toBeGreaterThan(0);
  });

  it('may read with cookies; a page of another domain may read with a signed address only', async () => {
    const Cookie = (await sessionLines()).map((line) => line.split(';')[0]).join('; ');
    const { host, port, pathname } = new URL(playback.hls);
    // The resolver of this machine need not know the name.
    const corsOf = (Origin: string) =>
      new Promise((done, fail) => {
        get({ host: '127.0.0.1', port, path: pathname, headers: { Host: host, Origin, Cookie } }, (answer) => {
          answer.resume();
          const { 'access-control-allow-origin': origin, 'access-control-allow-credentials': cookies } = answer.headers;
          done([answer.statusCode, origin, cookies]);
        }).on('error', fail);
      });
    expect(await corsOf('http://www.site.localhost:8080')).toEqual([200, 'http://www.site.localhost:8080', 'true']);
    expect(await corsOf('http://site.localhost')).toEqual([200, 'http://site.localhost', 'true']);
    expect(await corsOf('http://evilsite.localhost')).toEqual([200, '*', undefined]);
    expect(await corsOf('http://localhost:3000')).toEqual([200, '*', undefined]);
  });
});
