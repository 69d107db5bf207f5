import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { execaSync } from 'execa';
import { chromium } from 'playwright-core';
import { Failed } from './failed.ts';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--autoplay-policy=no-user-gesture-required',
];

/** Path of a Chromium on this machine; undefined when there is none. */
export function findBrowser(): string | undefined {
  for (const name of [process.env.CHROMIUM_PATH, 'chromium', 'google-chrome']) {
    if (!name) continue;
    const { failed, stdout } = execaSync('which', [name], { reject: false });
    if (!failed) return stdout.trim();
  }
  return undefined;
}

/**
 * Plays a stream with hls.js in a page on this machine.
 * @param query appended to each address, as an application with a playback session does
 * @throws Failed when no frames advance
 */
export async function playsInBrowser(executablePath: string, master: string, query: string): Promise<void> {
  await using page = await servePage(master, query);
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  try {
    const tab = await browser.newPage();
    await tab.goto(page.url);
    // As text, because it runs in the page: this project is typed for Node.
    await tab
      .waitForFunction(`document.querySelector('video').currentTime > 1`, undefined, { timeout: 60_000 })
      .catch(async () => {
        const problem = await tab.textContent('#problem');
        throw new Failed(`${master} does not play in a browser: ${problem || 'no frame was shown for a minute'}`);
      });
  } finally {
    await browser.close();
  }
}

async function servePage(master: string, query: string) {
  const hls = await readFile(createRequire(import.meta.url).resolve('hls.js/dist/hls.min.js'));
  const html = `<!doctype html><video muted></video><p id="problem"></p><script src="/hls.js"></script><script>
    const video = document.querySelector('video');
    const hls = new Hls({ xhrSetup: (xhr, url) => xhr.open('GET', url + '?' + ${JSON.stringify(query)}) });
    hls.on(Hls.Events.ERROR, (event, data) => { document.querySelector('#problem').textContent = data.details; });
    hls.loadSource(${JSON.stringify(master)});
    hls.attachMedia(video);
    hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());
  </script>`;
  const server = createServer(({ url }, response) => {
    if (url === '/hls.js') response.setHeader('content-type', 'text/javascript').end(hls);
    else response.setHeader('content-type', 'text/html').end(html);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
