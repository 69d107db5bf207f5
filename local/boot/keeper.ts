import { fork } from 'node:child_process';
import { join } from 'node:path';

/**
 * Starts a small process that ends the cloud's child processes if the cloud is killed, so that no encoder goes on unused.
 * @param pidFiles files with a process number, or directories of such files
 */
export function startKeeper(pidFiles: readonly string[]): { close(): Promise<void> } {
  const keeper = fork(join(import.meta.dirname, 'keeper.mjs'), pidFiles, {
    execArgv: [],
    env: {},
    stdio: 'ignore',
    detached: true,
  });
  keeper.unref();
  keeper.channel?.unref();
  return {
    close: async () => {
      keeper.kill('SIGKILL');
    },
  };
}
