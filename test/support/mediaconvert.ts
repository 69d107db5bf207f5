import type { Cloud } from '../../local/boot.ts';
import { testCloud } from './cloud.ts';
import { configuredApp } from './configured-app.ts';

/** A cloud whose app has the engine `mediaconvert`. */
export async function mediaConvertCloud(
  options: Parameters<typeof testCloud>[0] = {},
): Promise<{ cloud: Cloud; log: string[] } & AsyncDisposable> {
  const app = await configuredApp({ mediaConvert: true });
  const booted = await testCloud({ ...options, assembly: app.assembly, stateDir: app.stateDir });
  return {
    cloud: booted.cloud,
    log: booted.log,
    [Symbol.asyncDispose]: async () => {
      await booted[Symbol.asyncDispose]();
      await app[Symbol.asyncDispose]();
    },
  };
}
