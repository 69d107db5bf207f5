import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { chromium } from 'playwright-core';
import { expect, it } from 'vitest';
import { testCloud } from '../helpers/cloud.ts';
import { drop, reached, testVideo } from '../helpers/pipeline.ts';

function findChromium(): string | undefined {
  const candidates = [process.env.CHROMIUM_PATH, 'chromium', 'google-chrome'];
  for (const name of candidates) {
    if (!name) continue;
    const { failed, stdout } = execaSync('which', [name], { reject: false });
    if (!failed) return stdout.trim();
  }
  return undefined;
}

const browserPath = findChromium();

it.runIf(browserPath)(
  'the player page plays a result in Chromium: frames advance',
  async () => {
    await using booted = await testCloud();
    const { cloud } = booted;
    const folder = await mkdtemp(join(tmpdir(), 'dropreel-browser-'));
    const file = await testVideo(join(folder, 'clip.mp4'), { seconds: 4, size: '640x360' });
    const mediaId = await drop(cloud, 'drop/ann/default/clip.mp4', { file });
    await reached(cloud, mediaId, 'ready', { timeoutMs: 120_000 });
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
      await page.goto(`${cloud.deliveryUrl}/player/?creator=ann&media=${mediaId}&kind=video&muted`);
      // As text, for it runs in the page: this project is typed for Node.
      await page.waitForFunction(`(document.querySelector('video')?.readyState ?? 0) >= 2`);
      await page.evaluate(`document.querySelector('video').play()`);
      await page.waitForFunction(`(() => {
        const video = document.querySelector('video');
        return video.currentTime > 1 && video.getVideoPlaybackQuality().totalVideoFrames > 10;
      })()`);
      expect(await page.textContent('#problem')).toBe('');
      expect(await page.textContent('#facts')).toContain('640×360');
    } finally {
      await browser.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
  180_000,
);
