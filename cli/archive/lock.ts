import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { CliError, EXIT } from '../exit.ts';

/**
 * Makes this process the only one that changes a folder. The lock is a name of Linux's abstract sockets (unix(7)): the system frees it when
 * the process ends, however it ends, so that it is never stale.
 * @throws CliError when another has it
 */
export async function lockFolder(folder: string): Promise<AsyncDisposable> {
  const name = `\0dropreel-archive-${createHash('sha256').update(folder).digest('hex')}`;
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
