import { defineConfig } from 'vitest/config';
import { HostileCounts } from './test/hostile/counts.ts';

/** `npm run test:hostile`: every hostile file, request and receiver; `npm test` runs one or two of each kind. */
export default defineConfig({
  test: {
    include: [
      'test/hostile/**/*.test.ts',
      // What is hostile by itself: requests, tokens, pages, receivers, addresses, a decoder that was taken over.
      'test/e2e/{api-access,api-fuzz,evil-page}.test.ts',
      'test/unit/functions/deliver-webhook/receivers.test.ts',
      'test/unit/core/webhooks/{addresses,target}.test.ts',
      'local/test/unit/{kernel/http-server,apigateway/jwt}.test.ts',
      'local/test/unit/cloudfront/cloudfront.test.ts',
      'test/media/second-user.test.ts',
    ],
    maxWorkers: 2,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', DROPREEL_HOSTILE: 'whole' },
    reporters: ['default', new HostileCounts()],
    testTimeout: 240_000,
    hookTimeout: 180_000,
  },
});
