import axe from 'axe-core';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import type { Cloud } from '../../local/boot.ts';
import { consoleLink } from '../../scripts/dev/console-link.ts';

export const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--autoplay-policy=no-user-gesture-required',
];

/** A page on which the browser has met nothing that it complains of, except for what a test expects. */
export interface ConsolePage extends AsyncDisposable {
  page: Page;
  context: BrowserContext;
  complaints: string[];
}

/** Signed in to the console, at `path` below it. */
export async function openConsole(
  cloud: Cloud,
  executablePath: string,
  { creatorId = 'ann', path = '' }: { creatorId?: string; path?: string } = {},
): Promise<ConsolePage> {
  const browser = await chromium.launch({ executablePath, args: BROWSER_FLAGS });
  const context = await browser.newContext({ viewport: { width: 1024, height: 768 }, reducedMotion: 'no-preference' });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.setDefaultTimeout(60_000);
  await page.goto((await consoleLink(cloud, { creatorId, path })) ?? '');
  await page.getByRole('navigation', { name: 'Pages' }).waitFor();
  return { page, context, complaints, [Symbol.asyncDispose]: () => browser.close() };
}

/** What axe finds of the two worse kinds: a line each, with the first element. */
export async function seriousFindings(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate<string[]>(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => id + ': ' + nodes[0].html.slice(0, 200)))`);
}

/** Elements that people use which lie on each other, or beyond the window's side: a line each. */
export async function misplaced(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`(() => {
    const used = [...document.querySelectorAll('a, button, input, select, summary')].filter((it) => it.checkVisibility() && !it.closest('.uploads, .toasts, .skip') && !it.matches('.skip'));
    const boxes = used.map((it) => [it, it.getBoundingClientRect()]).filter(([, box]) => box.width > 0);
    const name = (it) => it.tagName + ' ' + (it.getAttribute('aria-label') ?? it.textContent).slice(0, 40);
    const found = boxes.filter(([, box]) => box.right > innerWidth + 1 || box.left < -1).map(([it]) => 'beyond the side: ' + name(it));
    for (const [a, one] of boxes) {
      for (const [b, other] of boxes) {
        if (a === b || a.contains(b) || b.contains(a) || a.compareDocumentPosition(b) === 2) continue;
        const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
        const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
        if (wide > 1 && high > 1) found.push(name(a) + ' lies on ' + name(b));
      }
    }
    if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
    return found;
  })()`);
}
