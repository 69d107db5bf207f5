import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { mediaKeys } from '../../core/contracts/keys.ts';
import { PLAYLIST_TYPE } from '../../core/contracts/outputs.ts';
import { findChromium } from '../support/browser.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { drop, makeClip, reached, testVideo } from '../support/pipeline.ts';

const require = createRequire(import.meta.url);
const SHAKA = require.resolve('shaka-player');
const browserPath = findChromium();

/** Opens a page with nothing but Shaka, which plays a stream. The delivery has no such page: what asks for it gets these. */
async function playInShaka(page: Page, { origin, url }: { origin: string; url: string }): Promise<void> {
  const body = `<!doctype html><link rel="icon" href="data:,"><video muted></video><script src="/test/shaka.js"></script>`;
  await page.route(`${origin}/test/shaka.html`, (route) => route.fulfill({ contentType: 'text/html', body }));
  await page.route(`${origin}/test/shaka.js`, (route) => route.fulfill({ path: SHAKA }));
  await page.goto(`${origin}/test/shaka.html`);
  await page.evaluate(`(async () => {
    const player = new shaka.Player();
    await player.attach(document.querySelector('video'));
    await player.load('${url}');
    await document.querySelector('video').play();
  })()`);
}

it.runIf(browserPath)(
  'the player page plays a result in Chromium, and so do a media element and Shaka',
  async () => {
    await using booted = await testCloud();
    const { cloud } = booted;
    const folder = await mkdtemp(join(tmpdir(), 'dropreel-browser-'));
    const file = await testVideo(join(folder, 'clip.mp4'), { seconds: 4, size: '640x360' });
    const mediaId = await drop(cloud, 'drop/ann/default/clip.mp4', { file });
    await reached(cloud, mediaId, 'ready', { timeoutMs: 120_000 });
    const sound = await makeClip(join(folder, 'tone.flac'), '-f', 'lavfi', '-i', 'sine=frequency=300:duration=2');
    const soundId = await drop(cloud, 'drop/ann/default/tone.flac', { file: sound });
    await reached(cloud, soundId, 'ready', { timeoutMs: 120_000 });
    const browser = await chromium.launch({
      executablePath: browserPath ?? '',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--autoplay-policy=no-user-gesture-required',
      ],
    });
    try {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      const asked: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      const media = new Map<string, number>();
      page.on('response', (response) => {
        const [, name] = /\/([\w-]+\.mp4)$/.exec(response.url()) ?? [];
        if (name) media.set(name, response.status());
      });
      await page.goto(`${cloud.deliveryUrl}/player/?creator=ann&media=${mediaId}&muted`);
      // As text, for it runs in the page: this project is typed for Node. Playwright's own waiting is an eval, which the page forbids.
      const holds = (what: string, condition: string) => eventually(what, () => page.evaluate<boolean>(condition));
      await holds('there is a picture', `(document.querySelector('video')?.readyState ?? 0) >= 2`);
      await page.evaluate(`document.querySelector('video').play()`);
      await holds(
        'frames advance',
        `(() => {
          const video = document.querySelector('video');
          return video.currentTime > 1 && video.getVideoPlaybackQuality().totalVideoFrames > 10;
        })()`,
      );
      // Each rendition is one file, of which the player fetches ranges.
      expect([...media].sort()).toEqual([
        ['360p.mp4', 206],
        ['audio-64k.mp4', 206],
      ]);
      expect(await page.textContent('#problem')).toBe('');
      expect(await page.textContent('#facts')).toContain('640×360');
      // Later versions of Chromium have an HLS player of their own.
      if (await page.evaluate<boolean>(`document.createElement('video').canPlayType('${PLAYLIST_TYPE}') !== ''`)) {
        await page.evaluate(`(() => {
          const own = document.createElement('video');
          Object.assign(own, { id: 'own', muted: true, src: '/${mediaKeys('ann', mediaId).master}' });
          document.body.append(own);
          return own.play();
        })()`);
        await holds('it plays without hls.js', `document.querySelector('#own').currentTime > 1`);
      }
      expect(complaints).toEqual([]);

      for (const output of ['master', 'dash'] as const) {
        media.clear();
        await playInShaka(page, { origin: cloud.deliveryUrl, url: `/${mediaKeys('ann', mediaId)[output]}` });
        await holds(`Shaka plays ${output} to its end`, `document.querySelector('video').ended`);
        expect(await page.evaluate(`document.querySelector('video').currentTime`)).toBeCloseTo(4, 0);
        expect([...media.values()]).toEqual(expect.arrayContaining([206, 206]));
        expect(new Set(media.values())).toEqual(new Set([206]));
      }
      expect(complaints).toEqual([]);

      asked.length = 0;
      await page.goto(`${cloud.deliveryUrl}/player/?creator=%2Fevil.example&media=${mediaId}`);
      await holds('the page says something', `document.querySelector('#problem').textContent !== ''`);
      expect(await page.textContent('#problem')).toContain('The address names no media');
      expect(asked.filter((url) => !url.startsWith(`${cloud.deliveryUrl}/`))).toEqual([]);

      await page.goto(`${cloud.deliveryUrl}/player/?creator=ann&media=${soundId}`);
      await holds('there is a sound', `document.querySelector('audio')?.duration > 1`);
      await page.goto(`${cloud.deliveryUrl}/player/?creator=ann&media=${'a'.repeat(26)}`);
      await holds('the page says something', `document.querySelector('#problem').textContent !== ''`);
      expect(await page.textContent('#problem')).toContain('Nothing can be played here.');
    } finally {
      await browser.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
  180_000,
);
