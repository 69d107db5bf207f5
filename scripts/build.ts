/** Bundles the functions, the worker and the player into dist/: what the CDK app deploys and the local cloud runs. */
import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { type BuildOptions, build, type Plugin } from 'esbuild';

// Bundled CommonJS dependencies call require, which an ES module has not.
const REQUIRE_BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** zod's messages in fifty languages are a third of a bundle; the functions speak English. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup: ({ onLoad }) => {
    onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  minify: true,
  keepNames: true,
  // ES modules where a package has them, so that what is not used is left out.
  mainFields: ['module', 'main'],
  sourcemap: 'linked',
  legalComments: 'none',
  banner: { js: REQUIRE_BANNER },
  logLevel: 'warning',
  plugins: [englishOnly],
};

const browser: BuildOptions = {
  bundle: true,
  platform: 'browser',
  format: 'esm',
  minify: true,
  logLevel: 'warning',
  plugins: [englishOnly],
};

export async function buildAll(): Promise<void> {
  await rm('dist', { recursive: true, force: true });
  const functions = (await readdir('functions', { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && entry.name !== 'shared')
    .map((entry) => entry.name);
  await Promise.all(['dist/transcoder', 'dist/player'].map((folder) => mkdir(folder, { recursive: true })));
  await Promise.all([
    ...functions.map((name) =>
      build({ ...common, entryPoints: [`functions/${name}/handler.ts`], outfile: `dist/functions/${name}/index.mjs` }),
    ),
    build({ ...common, entryPoints: ['containers/transcoder/main.ts'], outfile: 'dist/transcoder/main.mjs' }),
    cp('containers/transcoder/Dockerfile', 'dist/transcoder/Dockerfile'),
    build({ ...browser, entryPoints: ['web/player/player.ts'], outfile: 'dist/player/player.js' }),
    cp('web/player/index.html', 'dist/player/index.html'),
  ]);
}

if (import.meta.filename === process.argv[1]) await buildAll();
