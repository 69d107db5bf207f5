import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PLUGINS } from '../plugins.ts';

/**
 * Port of a server by its name: that of a plugin, or `gateway`.
 * @throws Error for any other name
 */
export type Ports = (server: string) => number;

const NAMES = ['gateway', ...PLUGINS.flatMap(({ server }) => server ?? [])];

/**
 * Free ports of the loopback interface, chosen before anything listens because the template's host names map to them.
 * Those of the last run are reused, so that its URLs still work.
 * @param wanted port of the gateway; 0 for any
 * @throws Error when the wanted port is taken
 */
export async function choosePorts(dir: string, wanted: number | undefined): Promise<Ports> {
  const file = join(dir, 'ports.json');
  const last: Record<string, number> = wanted === 0 ? {} : JSON.parse(await readFile(file, 'utf8').catch(() => '{}'));
  if (wanted) {
    last.gateway = wanted;
    if (!(await freePort(wanted)))
      throw new Error(`Port ${wanted} of 127.0.0.1 is taken. Choose another, or 0 for any.`);
  }
  const ports: Record<string, number> = {};
  for (const name of NAMES) {
    const port = last[name] ? await freePort(last[name]) : undefined;
    ports[name] = port ?? (await anyPort(Object.values(ports)));
  }
  await writeFile(file, JSON.stringify(ports));
  return (server) => {
    const port = ports[server];
    if (port === undefined) throw new Error(`there is no server ${server}`);
    return port;
  };
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
