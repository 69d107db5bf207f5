import { resolve } from 'node:path';
import { build } from 'vite';
import { englishOnly } from './esbuild.ts';

/** Builds the console. Each route, and what plays, is a file of its own, which is loaded when it is first needed. */
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
        // Of libraries for servers that render React: it says nothing to a browser.
        onwarn: (warning, warn) => warning.code !== 'MODULE_LEVEL_DIRECTIVE' && warn(warning),
      },
    },
  });
}
