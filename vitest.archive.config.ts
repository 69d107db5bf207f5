import { defineConfig } from 'vitest/config';

/** `npm run test:archive`: a library goes through a week, with real encodes; longer than it should take in `npm test`. */
export default defineConfig({
  test: {
    include: ['test/archive/**/*.archive.ts'],
    disableConsoleIntercept: true,
    fileParallelism: false,
    testTimeout: 30 * 60_000,
    hookTimeout: 10 * 60_000,
  },
});
