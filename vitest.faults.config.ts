import { defineConfig } from 'vitest/config';
import { SeedReporter } from './test/support/seed-reporter.ts';

/** `npm run test:faults`: hundreds of flows, far longer than `npm test` may take. */
export default defineConfig({
  test: {
    include: ['test/faults/**/*.faults.ts'],
    disableConsoleIntercept: true,
    fileParallelism: false,
    testTimeout: 4 * 3_600_000,
    hookTimeout: 180_000,
    reporters: ['default', new SeedReporter()],
  },
});
