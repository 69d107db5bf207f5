import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, apiAs } from '../support/api.ts';
import { findChromium } from '../support/browser.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { type ConsolePage, openConsole } from '../support/console.ts';
import { testVideo } from '../support/pipeline.ts';

const browserPath = findChromium();

let folder: string;
let clip: string;
let booted: Awaited<ReturnType<typeof testCloud>>;
let opened: ConsolePage;
let ann: Api;

describe.runIf(browserPath)('the console, when something is in its way', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dropreel-trouble-'));
    clip = await testVideo(join(folder, 'clip.mp4'), { seconds: 1, size: '320x180' });
    booted = await testCloud({ adverse: false });
    opened = await openConsole(booted.cloud, browserPath ?? '');
    ann = await apiAs(booted.cloud, 'ann');
  });
  afterAll(async () => {
    await opened?.[Symbol.asyncDispose]();
    await booted?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** Another tab of the browser, signed in as the first one. */
  async function tab(path = ''): Promise<Page> {
    const page = await opened.context.newPage();
    page.setDefaultTimeout(60_000);
    await page.goto(`${booted.cloud.outputs.ConsoleUrl}${path}`);
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    return page;
  }
  const named = async (name: string) => {
    const file = join(folder, name);
    await copyFile(clip, file);
    return file;
  };
  const found = async (name: string) => {
    const { items } = (await ann('GET', `/media?q=${name}`)).body as {
      items: { id: string; state: string; collectionId: string }[];
    };
    return items[0];
  };

  it('says that there is a new version when its files are gone, and reloads when an upload has arrived', async () => {
    const page = await tab();
    await page.evaluate(HOLD_REQUESTS);
    await page.route('**/assets/collections-*.js', (route) => route.fulfill({ status: 404, body: 'Not found\n' }));
    await page.route('**/console/', (route) =>
      route.request().resourceType() === 'fetch'
        ? route.fulfill({ contentType: 'text/html', body: '<script src="/console/assets/index-new.js"></script>' })
        : route.continue(),
    );
    await page.getByLabel('Files to upload').setInputFiles(await named('held.mp4'));
    await page.getByRole('region', { name: 'Uploads' }).getByText('Uploading').waitFor();
    await page.getByRole('link', { name: 'Collections' }).click();
    await page.getByText('There is a new version of the console.').waitFor();
    await page.getByText('An upload goes on meanwhile.').waitFor();
    await page.getByRole('button', { name: 'Reload when uploads have arrived' }).click();
    await page.getByText('Reloading when the upload has arrived.').waitFor();
    const reloaded = page.waitForEvent('framenavigated');
    await page.evaluate('release()');
    await reloaded;
    await eventually('it has arrived', async () => (await found('held'))?.state !== 'uploading');
    await page.close();
  });

  it('shows other pages although one has failed, and tries that one again', async () => {
    const page = await tab();
    await page.route('**/assets/presets-*.js', (route) => route.abort());
    await page.getByRole('link', { name: 'Presets' }).click();
    await page.getByText('Part of the console could not be loaded.').waitFor();
    await page.getByRole('link', { name: 'Collections' }).click();
    await page.getByRole('heading', { name: 'Collections', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Presets' }).click();
    await page.unroute('**/assets/presets-*.js');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('heading', { name: 'Presets', exact: true }).waitFor();
    await page.close();
  });

  it('stays as it is while signed out, and goes on after a sign-in in another tab', async () => {
    const page = await tab();
    await page.getByText('held').first().waitFor();
    await page.route('**/oauth2/token', (route) =>
      route.fulfill({
        status: 400,
        headers: { 'access-control-allow-origin': '*', 'content-type': 'application/json' },
        body: '{"error":"invalid_grant"}',
      }),
    );
    await page.evaluate('now = Date.now; Date.now = () => now() + 7_200_000');
    await page.getByRole('searchbox').fill('nothing of this name');
    await page.getByText('You are signed out.').waitFor();
    expect(await page.getByRole('searchbox').inputValue()).toBe('nothing of this name');
    await page.unroute('**/oauth2/token');
    await page.evaluate('Date.now = now');
    const [other] = await Promise.all([
      opened.context.waitForEvent('page'),
      page.getByRole('link', { name: 'Sign in again' }).click(),
    ]);
    await other.getByText('The tab that asked for it goes on').waitFor();
    await page.getByText('You are signed out.').waitFor({ state: 'detached' });
    await page.getByText('Nothing fits these words').waitFor();
    await other.close();
    await page.close();
  });

  it('uploads to the collection that is shown', async () => {
    await ann('POST', '/collections', { body: { id: 'films', title: 'Our films' } });
    const page = await tab('?collection=films');
    await page.getByRole('button', { name: 'Upload to Our films' }).waitFor();
    await page.getByLabel('Files to upload').setInputFiles(await named('placed.mp4'));
    await page.getByText('1 of 1 done').waitFor();
    expect((await found('placed'))?.collectionId).toBe('films');
    await page.close();
  });

  it('names the sites that may embed what a collection has', async () => {
    const page = await tab('collections');
    const films = page.locator('details', { hasText: 'Our films (films)' });
    await films.locator('summary').click();
    await films.getByLabel('Embedding').selectOption('these sites');
    await films.getByLabel('Sites, such as').fill('https://a.example, https://*.b.example');
    await films.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved.').first().waitFor();
    const { body } = await ann('GET', '/collections/films');
    expect(body.embedOrigins).toEqual(['https://a.example', 'https://*.b.example']);
    await page.close();
  });

  it('asks whether a file is that of an upload which only says name and size', async () => {
    const file = await named('begun.mp4');
    const { size } = await stat(file);
    const body = { fileName: 'begun.mp4', size, contentType: 'video/mp4' };
    const { id } = (await ann('POST', '/uploads', { body })).body;
    const page = await tab();
    await page.getByLabel('Files to upload').setInputFiles(file);
    await page.getByText('Is this the same file?').waitFor();
    await page.getByRole('button', { name: 'Yes, go on' }).click();
    await page.getByText('1 of 1 done').waitFor();
    await eventually('it is uploaded', async () => (await ann('GET', `/media/${id}`)).body.state !== 'uploading');
    await page.close();
  });

  it('lets somebody sign out whom the API does not let in', async () => {
    const page = await opened.context.newPage();
    await page.route('**/me', (route) =>
      route.fulfill({ status: 403, headers: { 'access-control-allow-origin': '*' }, body: '{}' }),
    );
    await page.goto(`${booted.cloud.outputs.ConsoleUrl}`);
    await page.getByRole('alert').waitFor();
    const left = page.waitForRequest((request) => request.url().includes('/logout'));
    await page.getByRole('button', { name: 'Sign out' }).click();
    await left;
    await page.close();
  });
});

/** Runs in the page: uploads wait until `release()`. */
const HOLD_REQUESTS = `(() => {
  const { send } = XMLHttpRequest.prototype;
  const held = [];
  let open = false;
  XMLHttpRequest.prototype.send = function (body) {
    if (open) return send.call(this, body);
    held.push(() => send.call(this, body));
  };
  globalThis.release = () => {
    open = true;
    for (const go of held) go();
  };
})()`;
