import { rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { englishOnly } from './esbuild.ts';

/**
 * Builds the console. Each route, and what plays, is a file of its own, which is loaded when it is first needed. The page that other sites
 * frame shares the player's files; it is put beside `outDir`, because the function fills it in.
 */
export async function buildConsole(outDir: string): Promise<void> {
  await build({
    root: 'web/console',
    base: '/console/',
    configFile: false,
    publicDir: 'public',
    logLevel: 'warn',
    plugins: [{ name: 'english-only', load: (id) => (englishOnly.path.test(id) ? englishOnly.contents : null) }],
    build: {
      outDir: resolve(outDir),
      emptyOutDir: true,
      target: 'es2022',
      // The policy allows no inline script and no data for it.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      // hls.js is larger, and is loaded with a player only.
      chunkSizeWarningLimit: 800,
      rolldownOptions: {
        input: ['web/console/index.html', 'web/console/embed.html'],
        // Of libraries for servers that render React: it says nothing to a browser.
        onwarn: (warning, warn) => warning.code !== 'MODULE_LEVEL_DIRECTIVE' && warn(warning),
      },
    },
  });
  await rename(join(outDir, 'embed.html'), join(outDir, '..', 'embed.html'));
}
