import { afterAll, beforeEach } from 'vitest';
import { startWorld, type World } from '../../local/test/support/batch-world.ts';
import { emptyServices, type Services, startServices } from './services.ts';

/**
 * For a file of tests: the local services, and an AWS Batch beside them. Both end with the file. Each test begins with empty
 * buckets, table and queues, and with no call broken.
 *
 *     const { services, world } = await startStand();
 */
export async function startStand(
  options?: Parameters<typeof startWorld>[0],
): Promise<{ services: Services; world: World }> {
  const services = await startServices();
  const world = await startWorld(options);
  afterAll(async () => {
    await services[Symbol.asyncDispose]();
    await world.close();
  });
  beforeEach(() => emptyServices(services));
  return { services, world };
}
