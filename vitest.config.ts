import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Two cores encode one thing at a time; more workers only add memory and time-outs.
    maxWorkers: 2,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    testTimeout: 120_000,
    // These tests wait for real processes: on a machine of others one may be late once, but not twice.
    retry: process.env.CI ? 1 : 0,
    hookTimeout: 180_000,
  },
});
