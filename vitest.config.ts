import { defineConfig } from 'vitest/config';
import { SeedReporter } from './test/support/seed-reporter.ts';

export default defineConfig({
  test: {
    include: ['{test,local/test}/**/*.test.ts'],
    // Two cores encode one thing at a time; more workers only add memory and time-outs.
    maxWorkers: 2,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    testTimeout: 120_000,
    hookTimeout: 180_000,
    reporters: ['default', new SeedReporter()],
  },
});
