import { defineConfig } from 'vitest/config';
import { SeedReporter } from './test/support/seed-reporter.ts';

const UNIT = '{test,local/test}/unit/**/*.test.ts';
/** These put a module of their own in the place of one that another file may have read before. */
const MOCKING = [
  'test/unit/containers/transcoder/probe-time.test.ts',
  'test/unit/functions/announce-change/handler.test.ts',
];

export default defineConfig({
  test: {
    // Encodes keep two cores busy; much of the rest waits for a cloud that is slow on purpose.
    maxWorkers: 3,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    testTimeout: 120_000,
    hookTimeout: 180_000,
    reporters: ['default', new SeedReporter()],
    projects: [
      // One process for many files reads what they import once: a third of the time. They leave nothing changed behind.
      { extends: true, test: { name: 'unit', include: [UNIT], exclude: MOCKING, isolate: false } },
      { extends: true, test: { name: 'isolated', include: ['{test,local/test}/!(unit)/**/*.test.ts', ...MOCKING] } },
    ],
  },
});
