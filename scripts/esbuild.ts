import type { BuildOptions, Plugin } from 'esbuild';

// Bundled CommonJS dependencies call require, which an ES module does not have.
const REQUIRE_BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** zod's messages in fifty languages are a third of a bundle; the functions use English only. */
const englishOnly: Plugin = {
  name: 'english-only',
  setup: ({ onLoad }) => {
    onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

export const forNode: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  minify: true,
  keepNames: true,
  // ES modules where a package has them, so that unused code is left out.
  mainFields: ['module', 'main'],
  sourcemap: 'linked',
  legalComments: 'none',
  banner: { js: REQUIRE_BANNER },
  logLevel: 'warning',
  plugins: [englishOnly],
};

export const forBrowser: BuildOptions = {
  bundle: true,
  platform: 'browser',
  format: 'esm',
  minify: true,
  logLevel: 'warning',
  plugins: [englishOnly],
};
