import type { BuildOptions, Plugin } from 'esbuild';

// Bundled CommonJS dependencies call require, which an ES module does not have.
const REQUIRE_BANNER = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

/** zod's messages in fifty languages are a third of a bundle; dropreel uses English only. */
export const englishOnly = {
  path: /zod[\\/]v4[\\/]locales[\\/]index\.js$/,
  contents: "export { default as en } from './en.js';",
};
const withEnglishOnly: Plugin = {
  name: 'english-only',
  setup: ({ onLoad }) => {
    onLoad({ filter: englishOnly.path }, () => ({ contents: englishOnly.contents }));
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
  plugins: [withEnglishOnly],
};

export const forBrowser: BuildOptions = {
  bundle: true,
  platform: 'browser',
  format: 'esm',
  minify: true,
  logLevel: 'warning',
  plugins: [withEnglishOnly],
};
