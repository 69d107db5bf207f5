import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MediaLink } from '../../core/contracts/http/media.ts';
import { type Api, apiAs, tokenOf } from '../support/api.ts';
import { findChromium } from '../support/browser.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { dropreel } from '../support/command.ts';
import { BROWSER_FLAGS, openConsole, seriousFindings } from '../support/console.ts';
import { keyedApp } from '../support/keyed-app.ts';
import { drop, makeClip, reached, testVideo } from '../support/pipeline.ts';

const TITLE = `</title><script>document.title = 'run'</script><img src=x onerror=alert(1)>"'`;
const HOUR = 3_600_000;

const browserPath = findChromium();
let app: Awaited<ReturnType<typeof keyedApp>>;
let booted: Awaited<ReturnType<typeof testCloud>>;
let folder: string;
let ann: Api;
let open: string;
let closed: string;
let sound: string;
/** A site that frames what its query names. */
let site: Server;
let siteUrl: string;
let browser: Browser;
/** What has been asked of any server by a page. */
let asked: string[];

beforeAll(async () => {
  app = await keyedApp();
  booted = await testCloud({ assembly: app.assembly, stateDir: app.stateDir, adverse: false });
  folder = await mkdtemp(join(tmpdir(), 'dropreel-embed-'));
  site = createServer((request, response) => {
    const src = new URL(request.url ?? '', 'http://site').searchParams.get('src') ?? '';
    response.writeHead(200, { 'content-type': 'text/html' });
    response.end(`<iframe src="${src.replaceAll('&', '&amp;')}" width="640" height="360" allow="autoplay"></iframe>`);
  });
  await new Promise<void>((done) => site.listen(0, '127.0.0.1', done));
  siteUrl = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  const { cloud } = booted;
  ann = await apiAs(cloud, 'ann');
  await ann('POST', '/collections', { body: { id: 'films', playback: 'private' } });
  const file = await testVideo(join(folder, 'film.mp4'), { seconds: 3, size: '320x180' });
  const tone = await makeClip(join(folder, 'tone.flac'), '-f', 'lavfi', '-i', 'sine=frequency=300:duration=2');
  open = await drop(cloud, 'drop/ann/open/film.mp4', { file });
  closed = await drop(cloud, 'drop/ann/films/film.mp4', { file });
  sound = await drop(cloud, 'drop/ann/open/tone.flac', { file: tone });
  for (const id of [open, closed, sound]) await reached(cloud, id, 'ready', { timeoutMs: 120_000 });
  await ann('PATCH', `/media/${open}`, { body: { title: TITLE } });
});
afterAll(async () => {
  await browser?.close();
  site?.close();
  await booted?.[Symbol.asyncDispose]();
  await app?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const pageOf = (mediaId: string) => `${booted.cloud.deliveryUrl}/embed/ann/${mediaId}`;
const linkTo = async (mediaId: string, hours = 1) => {
  const { body } = await ann('POST', `/media/${mediaId}/links`, { body: { output: 'embed', hours } });
  return MediaLink.parse(body);
};
const oembed = (url: string, query = '') =>
  fetch(`${booted.cloud.apiUrl}/oembed?${new URLSearchParams({ url })}${query}`);

describe('oEmbed', () => {
  it('is found by the page, and answers with a frame of that page', async () => {
    const text = await (await fetch(pageOf(open))).text();
    const href = /type="application\/json\+oembed" href="([^"]+)"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const answer = await fetch(href);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
    const { html, ...rest } = (await answer.json()) as { html: string };
    expect(rest).toEqual({
      ...{ version: '1.0', type: 'video', title: TITLE, provider_name: 'dropreel', width: 640, height: 360 },
      thumbnail_url: `${booted.cloud.deliveryUrl}/ann/thumbnails/media/${open}/poster.jpg`,
      ...{ thumbnail_width: 320, thumbnail_height: 180 },
    });
    expect(html).toContain(`<iframe src="${pageOf(open)}" width="640" height="360"`);
    expect(html).not.toContain('<script');
  });

  it('keeps to the size that is asked for, and leaves out a picture that is larger', async () => {
    const small = await (await oembed(pageOf(open), '&maxwidth=200&maxheight=200')).json();
    expect(small).toMatchObject({ width: 200, height: 113 });
    expect(small).not.toHaveProperty('thumbnail_url');
    expect(await (await oembed(pageOf(sound))).json()).toMatchObject({ type: 'rich', width: 640, height: 200 });
  });

  it('says of what it does not tell whether that is private, not there, or of another format', async () => {
    const status = async (...args: Parameters<typeof oembed>) => (await oembed(...args)).status;
    expect(await status(pageOf(closed))).toBe(401);
    expect(await status(pageOf('a'.repeat(26)))).toBe(404);
    expect(await status('https://elsewhere.example/1')).toBe(404);
    expect(await status(pageOf(open), '&format=xml')).toBe(501);
  });
});

it('answers HEAD as GET, for each page', async () => {
  for (const url of [pageOf(open), booted.cloud.outputs.ConsoleUrl ?? '']) {
    const [get, head] = await Promise.all([fetch(url), fetch(url, { method: 'HEAD' })]);
    expect([url, head.status, await head.text()]).toEqual([url, get.status, '']);
    expect(head.headers.get('content-security-policy')).toBe(get.headers.get('content-security-policy'));
  }
});

it('`dropreel embed` prints the code, that of a private one with what opens it', async () => {
  const env = { DROPREEL_ENDPOINT: booted.cloud.apiUrl, DROPREEL_TOKEN: await tokenOf(booted.cloud, 'ann') };
  const one = await dropreel(folder, ['embed', open, '--width', '320'], env);
  expect(one.stdout).toContain(`<iframe src="${pageOf(open)}" width="320" height="180"`);
  const other = await dropreel(folder, ['embed', closed, '--url'], env);
  expect(other.stdout).toMatch(new RegExp(`^${pageOf(closed)}#Policy=[^&]+&Signature=[^&]+&Key-Pair-Id=\\w+$`));
  expect(other.stderr).toContain('No site may frame it yet: dropreel collections edit films --embed-origins');
});

describe.runIf(browserPath)('a page of another site', () => {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: browserPath ?? '', args: BROWSER_FLAGS });
  });

  /** Shows the address in a frame of the site. */
  async function framed(url: string): Promise<Page> {
    const page = await browser.newPage();
    asked = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(`${siteUrl}/?${new URLSearchParams({ src: url })}`);
    return page;
  }
  const frameOf = (page: Page) => page.frames()[1] ?? page.mainFrame();
  const plays = (page: Page) =>
    eventually('frames advance', async () => {
      const script = `(async () => {
        const video = document.querySelector('hls-video');
        await video?.play();
        return video?.currentTime > 0.5 && video.getVideoPlaybackQuality().totalVideoFrames > 10;
      })()`;
      return frameOf(page)
        .evaluate<boolean>(script)
        .catch(() => false);
    });
  /** What a browser shows in place of a page that may not be framed. */
  const isRefused = (page: Page) =>
    eventually('the frame is refused', async () => frameOf(page).url() === 'chrome-error://chromewebdata/');
  const allow = (embedOrigins: string[] | null) => ann('PATCH', '/collections/films', { body: { embedOrigins } });

  it('plays what is public, signed in nowhere, with a title as text', async () => {
    const page = await framed(pageOf(open));
    await plays(page);
    expect(await frameOf(page).title()).toBe(TITLE);
    expect(await frameOf(page).locator('img[src="x"]').count()).toBe(0);
    await page.close();
  });

  it('gets no console in a frame', async () => {
    const page = await framed(booted.cloud.outputs.ConsoleUrl ?? '');
    await isRefused(page);
    await page.close();
  });

  it('frames what is private only where the collection names it, and plays it by a signed link only', async () => {
    const { url } = await linkTo(closed);
    const refused = await framed(url);
    await isRefused(refused);
    await refused.close();
    expect((await allow([siteUrl])).status).toBe(200);
    const page = await framed(url);
    await plays(page);
    await page.close();
    const bare = await framed(pageOf(closed));
    await frameOf(bare).getByText('the link does not open it').waitFor();
    await bare.close();
    await allow(['https://other.example']);
    const other = await framed(url);
    await isRefused(other);
    await other.close();
  });

  it('has its code, and signed links of a private one, in the console, which plays that too', async () => {
    await using opened = await openConsole(booted.cloud, browserPath ?? '', { path: `media/${closed}` });
    await opened.page.locator('hls-video').waitFor();
    await eventually('frames advance', () =>
      opened.page.evaluate<boolean>(`(async () => {
        const video = document.querySelector('hls-video');
        await video.play();
        return video.currentTime > 0.5;
      })()`),
    );
    await opened.page.getByRole('button', { name: 'Make links' }).click();
    await opened.page.getByRole('button', { name: 'Copy Page' }).waitFor();
    const codes = await opened.page.locator('.copy code').allTextContents();
    expect(codes.filter((code) => code.startsWith(`${pageOf(closed)}#Policy=`))).toHaveLength(1);
    expect(codes.filter((code) => code.startsWith(`<iframe src="${pageOf(closed)}#Policy=`))).toHaveLength(1);
    expect(await seriousFindings(opened.page)).toEqual([]);
    expect(opened.complaints).toEqual([]);
  });

  it('sends what opens a private one to no server but with the media, and not once it has expired', async () => {
    await allow([siteUrl]);
    const { url, expiresAt } = await linkTo(closed, 2);
    const page = await framed(url);
    await plays(page);
    const signed = asked.filter((one) => one.includes('Signature='));
    expect(signed.length).toBeGreaterThan(2);
    const media = `${booted.cloud.deliveryUrl}/private/ann/${closed}/`;
    expect(signed.filter((one) => !one.startsWith(media))).toEqual([]);
    await page.close();
    expect(Date.parse(expiresAt ?? '') - booted.cloud.clock.now()).toBeLessThanOrEqual(2 * HOUR);
    booted.cloud.clock.advance(2 * HOUR);
    const late = await framed(url);
    await frameOf(late).getByText('it has expired').waitFor();
    await late.close();
    ann = await apiAs(booted.cloud, 'ann');
  });

  it('is a page without anything serious for axe, and without inline script, by itself too', async () => {
    const page = await browser.newPage({ bypassCSP: true });
    for (const id of [open, sound]) {
      await page.goto(pageOf(id));
      await page.locator('media-play-button').waitFor();
      expect(await seriousFindings(page)).toEqual([]);
      expect(await (await fetch(pageOf(id))).text()).not.toMatch(/<script(?![^>]* src=)/);
    }
    await page.goto(pageOf('a'.repeat(26)));
    await page.getByText('Nothing plays at this address').waitFor();
    await page.close();
  });
});
