import type { Cloud } from '../../local/boot.ts';
import type { LocalEndpoint } from '../../local/endpoint/endpoint.ts';
import { HTTP_ENGINE, startHttpEndpoint } from '../../scripts/http-endpoint.ts';
import { testCloud } from './cloud.ts';
import { configuredApp } from './configured-app.ts';

/**
 * A cloud whose app has the engine `http`, and the endpoint on this machine, which runs the worker that was built.
 * @param more of the app's configuration
 */
export async function httpCloud(
  options: Parameters<typeof testCloud>[0] = {},
  more: Record<string, unknown> = {},
): Promise<{ cloud: Cloud; log: string[]; endpoint: LocalEndpoint; stateDir: string } & AsyncDisposable> {
  const app = await configuredApp({ httpEngine: HTTP_ENGINE, ...more });
  const { assembly, stateDir } = app;
  const { endpoint, beside } = await startHttpEndpoint(stateDir, { nodePath: process.env.DROPREEL_NODE });
  const booted = await testCloud({ ...options, ...beside, assembly, stateDir });
  return {
    cloud: booted.cloud,
    log: booted.log,
    endpoint,
    stateDir,
    [Symbol.asyncDispose]: async () => {
      await endpoint.close();
      await booted[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}
