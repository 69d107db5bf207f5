import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

const NAMES = ['gateway', 'api', 'delivery', 'issuer'] as const;
export type Ports = Record<(typeof NAMES)[number], number>;

/**
 * Free ports of the loopback interface, known before anything listens because the template's host names lead to them.
 * Those of the last run are taken again, so that URLs given out then still work.
 * @param wanted of the gateway; 0 for any
 * @throws Error when the wanted one is taken
 */
export async function choosePorts(dir: string, wanted: number | undefined): Promise<Ports> {
  const file = join(dir, 'ports.json');
  const last: Partial<Ports> = wanted === 0 ? {} : JSON.parse(await readFile(file, 'utf8').catch(() => '{}'));
  if (wanted) {
    last.gateway = wanted;
    if (!(await freePort(wanted)))
      throw new Error(`Port ${wanted} of 127.0.0.1 is taken. Choose another, or 0 for any.`);
  }
  const ports: Partial<Ports> = {};
  for (const name of NAMES) {
    const port = last[name] ? await freePort(last[name]) : undefined;
    ports[name] = port ?? (await anyPort(Object.values(ports)));
  }
  await writeFile(file, JSON.stringify(ports));
  return ports as Ports;
}

async function anyPort(except: number[]): Promise<number> {
  for (;;) {
    const port = await freePort(0);
    if (port && !except.includes(port)) return port;
  }
}

/** The port, or any free one for 0; undefined when it is taken. */
async function freePort(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' ? address?.port : undefined;
  } catch (error) {
    if (['EADDRINUSE', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  } finally {
    server.close();
  }
}
