import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { CliError, EXIT } from '../exit.ts';
import { requireNotNested } from './settings.ts';
import { identityOf } from './writers.ts';

/**
 * Makes this process the only one that changes a folder. The lock is a name of Linux's abstract sockets (unix(7)): the system frees it when
 * the process ends, however it ends, so that it is never stale. It is of the folder, by whatever path, as a bind mount gives it another.
 * @throws CliError when another has it, or the folder is in one that has an archive
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  await requireNotNested(folder);
  const identity = identityOf(await stat(folder, { bigint: true }));
  const name = `\0dropreel-archive-${createHash('sha256').update(identity).digest('hex')}`;
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = new CliError(EXIT.refused, `Another dropreel archive works on ${folder}: see its status.`);
      reject(error.code === 'EADDRINUSE' ? taken : error);
    });
    server.listen(name, resolve);
  });
  server.unref();
  return { [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}
