import { appendFile, copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { apiAs, OPERATOR } from '../support/api.ts';
import { findChromium } from '../support/browser.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { type ConsolePage, misplaced, openConsole, seriousFindings } from '../support/console.ts';
import { drop, makeClip, reached, readJobs, sweepUntil, testVideo } from '../support/pipeline.ts';

const browserPath = findChromium();
/** What is there once a page is complete. */
const PLACES: Readonly<Record<string, string>> = {
  '': '.card .badge',
  media: 'hls-video',
  collections: 'summary',
  presets: 'fieldset, textarea',
  operations: 'table',
};
const PATHS = ['', 'collections/default', 'presets/standard', 'presets/standard?as=json', 'operations'];
/** Chromium writes of each refusal: that there is no roll-out yet, and that a preset in use is changed on confirmation only. */
const EXPECTED = [/status of 404 .*\/presets\/team\/roll-out$/, /status of 409 .*\/presets\/team$/];
/** A folder that gets a picture of each page at each width: `docs/screens`, to renew those of the README. */
const { DROPREEL_SCREENSHOTS: SCREENSHOTS } = process.env;
/** What docs/console.md has. Figures of a busy machine are no limits; bytes and shifts are. */
const MOST_SCRIPT_BYTES = 200_000;
const MOST_SHIFT = 0.1;

let folder: string;
let booted: Awaited<ReturnType<typeof testCloud>>;
let opened: ConsolePage;
let page: Page;

describe.runIf(browserPath)('the console', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'dropreel-console-'));
    booted = await testCloud({ adverse: false });
    opened = await openConsole(booted.cloud, browserPath ?? '');
    page = opened.page;
  });
  afterAll(async () => {
    await opened?.[Symbol.asyncDispose]();
    await booted?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const card = (name: string) => page.getByRole('listitem').filter({ hasText: name });

  it('is signed in, and keeps no token where another page or a log could find it', async () => {
    expect(await page.locator('header.top').textContent()).toContain('ann');
    expect(page.url()).toBe(`${booted.cloud.outputs.ConsoleUrl}`);
    const kept = await page.evaluate<string>(
      `JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])`,
    );
    expect(kept).not.toContain('eyJ');
    await page.reload();
    await page.getByText('Nothing here yet').waitFor();
  });

  it('takes dropped files, shows their states as they change, and says why one fails', async () => {
    const clip = await testVideo(join(folder, 'clip.mp4'), { seconds: 3, size: '320x180' });
    const tone = await makeClip(join(folder, 'tone.flac'), '-f', 'lavfi', '-i', 'sine=frequency=300:duration=2');
    await dropFiles(page, [
      ['clip.mp4', 'video/mp4', await readFile(clip)],
      ['tone.flac', 'audio/flac', await readFile(tone)],
      ['<img src=x onerror=alert(1)>.mp4', 'video/mp4', Buffer.from('this is no film'.repeat(100))],
    ]);
    await page.getByText('3 of 3 done').waitFor();
    await card('clip').getByText('Ready').waitFor();
    await card('tone').getByText('Ready').waitFor();
    await card('<img').getByText('Failed').waitFor();
    expect(await card('<img').textContent()).toContain('The file is text, not video or audio.');
    expect(await page.locator('main img[src="x"]').count()).toBe(0);
  });

  it('plays a film, and lets its quality be chosen', async () => {
    await card('clip').getByRole('link').click();
    await page.locator('hls-video').waitFor();
    await eventually('frames advance', () =>
      page.evaluate<boolean>(`(async () => {
        const video = document.querySelector('hls-video');
        await video.play();
        return video.currentTime > 1 && video.getVideoPlaybackQuality().totalVideoFrames > 10;
      })()`),
    );
    expect(await page.locator('media-rendition-menu').count()).toBe(1);
    expect(await page.locator('.jobs').textContent()).toMatch(/Queued.*Started.*Read.*Encoded.*Stored.*Published/s);
  });

  it('changes title and tags, and finds them', async () => {
    await page.getByLabel('Title').fill('Kürbis & <b>Co</b>');
    await page.getByLabel('Tags').fill('autumn, garden');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Kürbis & <b>Co</b>' }).waitFor();
    await page.getByRole('link', { name: 'Library' }).first().click();
    await page.getByRole('searchbox').fill('kurbis GARDEN');
    await card('tone').waitFor({ state: 'detached' });
    expect(await page.locator('main .card .badge').count()).toBe(1);
    await page.getByRole('searchbox').fill('');
    await card('tone').waitFor();
  });

  it('deletes, having said what happens, and takes it back', async () => {
    await card('tone').getByRole('link').click();
    await page.getByRole('button', { name: 'Delete' }).click();
    expect(await page.getByRole('dialog').textContent()).toContain('removed for good within minutes');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.locator('main').getByText('Being deleted').waitFor();
    await page.getByRole('button', { name: 'Undo', exact: true }).click();
    await page.locator('main').getByText('Ready').waitFor();
    await booted.cloud.fireSchedule('sweep');
    await page.reload();
    await page.locator('main').getByText('Ready').waitFor();
  });

  it('is used by keyboard alone', async () => {
    await page.goto(`${booted.cloud.outputs.ConsoleUrl}`);
    await card('tone').waitFor();
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the content');
    await page.keyboard.press('Enter');
    for (let i = 0; i < 30 && !(await focused(page)).startsWith('0:02'); i++) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'tone' }).waitFor();
    for (let i = 0; i < 60 && (await focused(page)) !== 'Delete'; i++) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await focused(page)).toBe('Delete');
  });

  it('makes a preset of a built-in one in fields, each with what is wrong of it, and shows what a source becomes', async () => {
    await page.goto(`${booted.cloud.outputs.ConsoleUrl}presets/standard`);
    await page.getByLabel('Name').fill('team');
    for (let i = 0; i < 3; i++) await page.getByRole('button', { name: 'Remove size 1' }).click();
    const quality = page.getByLabel('Quality (CRF)');
    await quality.fill('5');
    await page.getByText('5 was given; allowed is 10 to 40').waitFor();
    expect(await quality.getAttribute('aria-invalid')).toBe('true');
    expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await quality.fill('35');
    await page.getByLabel('Renditions of a source').fill('1280x720');
    await page.getByText('360p: 640×360, at most 500 kbit/s, sound 64k').waitFor();
    expect(page.url()).toContain('source=1280x720');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'team', exact: true }).waitFor();
    await page.getByText('No collection uses it').waitFor();
  });

  it('gives a collection the preset, and says who uses it before it is changed', async () => {
    await page.getByRole('link', { name: 'Give it to one' }).click();
    await page.getByLabel('Id: letters').fill('shows');
    await page.getByRole('button', { name: 'Create' }).click();
    await page.getByText('shows (shows)').click();
    await page.getByRole('combobox', { name: 'Preset', exact: true }).selectOption('team');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved. It applies').waitFor();
    const file = join(folder, 'clip.mp4');
    for (const name of ['one', 'two']) {
      const id = await drop(booted.cloud, `drop/ann/shows/${name}.mp4`, { file });
      await reached(booted.cloud, id, 'ready', { timeoutMs: 120_000 });
    }
    await page.goto(`${booted.cloud.outputs.ConsoleUrl}presets/team`);
    await page.getByText(/Used by.*shows/).waitFor();
    await page.getByLabel('Quality (CRF)').fill('20');
    await page.getByRole('button', { name: 'Save' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('team is the preset of the collection shows.').waitFor();
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Roll version 2 out' }).waitFor();
  }, 180_000);

  it('rolls it out: a sample with the old picture beside the new, then the rest, and back', async () => {
    const confirm = async (button: string, verb: string) => {
      await page.getByRole('button', { name: button }).click();
      await page.getByRole('dialog').getByRole('button', { name: verb }).click();
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    };
    const stands = async (state: string, told: string) => {
      // The time of tokens passes, of which the page does not know.
      await page.goto('about:blank');
      await sweepUntil(booted.cloud, `it is ${state}`, async () => {
        booted.cloud.clock.advance(5 * 60_000);
        const api = await apiAs(booted.cloud, 'ann');
        return (await api('GET', '/presets/team/roll-out')).body.state === state;
      });
      await page.goto(`${booted.cloud.outputs.ConsoleUrl}presets/team`);
      await page.getByText(`Version 2: ${told}`).waitFor();
    };
    await confirm('Roll version 2 out', 'Begin');
    await stands('waiting', 'it waits for you');
    const compared = page.locator('.compare');
    expect(await compared.count()).toBe(1);
    expect(await compared.textContent()).toMatch(/ → .*\(\+\d+ %\), SSIM 0\.\d{4} \(before 0\.\d{4}\)/);
    await compared.getByRole('slider').fill('20');
    await eventually('both pictures are there, the new one over the right four fifths', () =>
      page.evaluate<boolean>(`(() => {
        const [before, after] = document.querySelectorAll('.compare img');
        return before.naturalWidth > 0 && after.naturalWidth > 0 && after.style.clipPath === 'inset(0px 0px 0px 20%)';
      })()`),
    );
    await confirm('Go on with the rest', 'Go on');
    await stands('done', 'all are encoded');
    await confirm('Put back', 'Put back');
    await stands('put-back', 'put back');
    await eventually('viewers have the version before', async () => {
      const { items } = (await (await apiAs(booted.cloud, 'ann'))('GET', '/media?collectionId=shows')).body as {
        items: { version: { preset: { version: number } } }[];
      };
      return items.every(({ version }) => version.preset.version === 1);
    });
  }, 300_000);

  it('ends a job that is stuck, and retries what has failed by that', async () => {
    const { cloud } = booted;
    const operator = await apiAs(cloud, 'olga', OPERATOR);
    const cap = (maxUsdPerMonth: number | null) =>
      operator('PATCH', '/collections/shows?creatorId=ann', { body: { maxUsdPerMonth } });
    await cap(0);
    const id = await drop(cloud, 'drop/ann/shows/stuck.mp4', { file: join(folder, 'clip.mp4') });
    await eventually('it is held', async () => (await readJobs(cloud, id))[0]?.todo === 'held-job');
    // As one of which sweep has not heard: there is no engine here that loses a job for good.
    const at = new Date(cloud.clock.now() - 3_600_000).toISOString();
    await developerClients(cloud).table.send(
      new UpdateCommand({
        TableName: cloud.outputs.Table,
        Key: rowKeys.job(id, 1),
        UpdateExpression: 'SET todo = :job, todoAt = :at, heartbeatAt = :at',
        ExpressionAttributeValues: { ':job': 'job', ':at': at },
      }),
    );
    await page.goto(`${cloud.outputs.ConsoleUrl}operations`);
    const work = page.getByRole('listitem').filter({ hasText: 'stuck' });
    await work.getByText('Stuck', { exact: true }).waitFor();
    await page.getByText('1 job that sweep should have seen to').waitFor();
    await work.getByRole('button', { name: 'End the encode of stuck' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click();
    await reached(cloud, id, 'failed');
    await cap(null);
    await page.reload();
    await page.getByText('cancelled: 1').click();
    await page.getByRole('button', { name: 'Retry stuck' }).click();
    await reached(cloud, id, 'ready', { jobs: 2, timeoutMs: 120_000 });
    expect(await page.getByLabel('Queues').textContent()).toMatch(/ingest.*track.*publish/s);
    await page.getByRole('region', { name: 'Costs by collection' }).getByText('ann/shows').waitFor();
    await page.getByText('batch-cpu', { exact: true }).first().waitFor();
  }, 180_000);

  it.each([390, 1024, 1600])('has everything in its place, and nothing serious for axe, at %i px', async (width) => {
    await page.setViewportSize({ width, height: 800 });
    // The narrowest as on a phone at night.
    await page.emulateMedia(
      width === 390 ? { colorScheme: 'dark', reducedMotion: 'reduce' } : { colorScheme: 'light' },
    );
    const id = await mediaIdOf('clip');
    for (const path of [...PATHS, `media/${id}`, 'presets/team']) {
      await page.goto(`${booted.cloud.outputs.ConsoleUrl}${path}`);
      const [first = ''] = path.split(/[/?]/);
      const place = PLACES[first] ?? 'h1';
      await page.locator(place).first().waitFor();
      expect(await misplaced(page), `${path} at ${width}`).toEqual([]);
      expect(await seriousFindings(page), `${path} at ${width}`).toEqual([]);
      if (SCREENSHOTS && !path.includes('?')) {
        await page.screenshot({ path: join(SCREENSHOTS, `${first || 'library'}-${width}.png`) });
      }
    }
  }, 120_000);

  it('sends little script first, and nothing jumps', async () => {
    const client = await opened.context.newCDPSession(page);
    await client.send('Network.enable');
    await client.send('Network.setCacheDisabled', { cacheDisabled: true });
    // By address: the document before the sign-in has asked for the same files, which a browser keeps.
    const urls = new Map<string, string>();
    const scripts = new Map<string, number>();
    client.on('Network.responseReceived', ({ requestId, type, response }) => {
      if (type === 'Script') urls.set(requestId, response.url);
    });
    client.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
      const url = urls.get(requestId);
      if (url) scripts.set(url, encodedDataLength);
    });
    await page.goto(`${booted.cloud.outputs.ConsoleUrl}`);
    await page.locator('.card img').first().waitFor();
    const script = [...scripts.values()].reduce((sum, bytes) => sum + bytes, 0);
    await client.detach();
    const { shift, first } = await page.evaluate<{ shift: number; first: number }>(`new Promise((resolve) => {
      let shift = 0;
      new PerformanceObserver((list) => { for (const one of list.getEntries()) shift += one.value; }).observe({ type: 'layout-shift', buffered: true });
      setTimeout(() => resolve({ shift, first: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0 }), 500);
    })`);
    process.stderr.write(
      `console: ${script} bytes of script, first view ${Math.round(first)} ms, layout shift ${shift}\n`,
    );
    expect(script).toBeGreaterThan(50_000);
    expect(script).toBeLessThan(MOST_SCRIPT_BYTES);
    expect(shift).toBeLessThan(MOST_SHIFT);
  });

  it('goes on with an upload after the line was cut and the page reloaded, with the same file only', async () => {
    const file = join(folder, 'long.mp4');
    await copyFile(join(folder, 'clip.mp4'), file);
    await padded(file, 70 * 2 ** 20);
    await page.evaluate(CUT_AFTER_TWO_PARTS);
    const sent = new Set<string>();
    page.on('requestfinished', (request) => {
      const [, part] = /partNumber=(\d+)/.exec(request.url()) ?? [];
      if (part) sent.add(part);
    });
    await page.getByLabel('Files to upload').setInputFiles(file);
    await page.getByText('Interrupted').waitFor();
    await eventually('two parts have arrived', async () => sent.size === 2);
    sent.clear();
    page.on('dialog', (dialog) => void dialog.accept());
    await page.goto(`${booted.cloud.outputs.ConsoleUrl}`);
    // A film of the same name and size, as one that was rendered anew may be.
    const other = join(await mkdtemp(join(folder, 'other-')), 'long.mp4');
    await writeFile(other, Buffer.alloc(70 * 2 ** 20, 1));
    const announced = page.waitForRequest((request) => request.method() === 'POST' && /\/uploads$/.test(request.url()));
    await page.getByLabel('Files to upload').setInputFiles(other);
    await announced;
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('region', { name: 'Uploads' }).waitFor({ state: 'detached' });
    sent.clear();
    await page.getByLabel('Files to upload').setInputFiles(file);
    await page.getByText('1 of 1 done').waitFor();
    expect([...sent].sort()).toEqual(['3', '4', '5']);
    await card('long').getByText('Ready').waitFor();
  });

  it('has met nothing that the browser complains of', () => {
    expect(opened.complaints.filter((text) => !EXPECTED.some((pattern) => pattern.test(text)))).toEqual([]);
  });

  async function mediaIdOf(name: string): Promise<string> {
    const api = await apiAs(booted.cloud, 'ann');
    const { items } = (await api('GET', `/media?q=${name}`)).body as { items: { id: string }[] };
    return items[0]?.id ?? '';
  }
});

/** Runs in the page: the requests of all parts but the first two break once those have arrived. */
const CUT_AFTER_TWO_PARTS = `(() => {
  const { open, send } = XMLHttpRequest.prototype;
  let arrived = 0;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.part = Number(/partNumber=(\\d+)/.exec(url)?.[1] ?? 0);
    return open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (body) {
    if (this.part <= 2) {
      this.addEventListener('load', () => { arrived += 1; });
      return send.call(this, body);
    }
    const timer = setInterval(() => {
      if (arrived < 2) return;
      clearInterval(timer);
      this.dispatchEvent(new ProgressEvent('error'));
    }, 20);
  };
})()`;

const focused = (page: Page) => page.evaluate<string>(`document.activeElement?.textContent.trim() ?? ''`);

/** As a person who lets go of files over the page. */
async function dropFiles(page: Page, files: [name: string, type: string, content: Buffer][]): Promise<void> {
  const list = files.map(([name, type, content]) => ({ name, type, content: content.toString('base64') }));
  await page.evaluate(`(() => {
    const transfer = new DataTransfer();
    for (const { name, type, content } of ${JSON.stringify(list)}) {
      transfer.items.add(new File([Uint8Array.from(atob(content), (one) => one.charCodeAt(0))], name, { type }));
    }
    dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, cancelable: true }));
  })()`);
}

/** A file of that many bytes that plays as before: a box of the kind `free` follows. */
async function padded(file: string, size: number): Promise<void> {
  const content = await readFile(file);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(size - content.length, 0);
  head.write('free', 4, 'latin1');
  await appendFile(file, head);
  await truncate(file, size);
}
