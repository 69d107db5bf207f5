import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
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
    await requireFree(wanted);
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

/** @throws Error when the port is taken, or the address is none of this machine's */
export async function requireFree(port: number, address = '127.0.0.1'): Promise<void> {
  if (!(await freePort(port, address)))
    throw new Error(
      `Port ${port} of ${address} is taken. Choose another${address === '127.0.0.1' ? ', or 0 for any' : ''}.`,
    );
}

async function anyPort(except: number[]): Promise<number> {
  for (;;) {
    const port = await freePort(0);
    if (port && !except.includes(port)) return port;
  }
}

/** The port, or any free one for 0; undefined when it is taken. */
async function freePort(port: number, address = '127.0.0.1'): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, address);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['EADDRINUSE', 'EACCES'].includes(code)) return undefined;
    if (['EADDRNOTAVAIL', 'ENOTFOUND'].includes(code)) throw new Error(`${address} is not an address of this machine.`);
    throw error;
  } finally {
    server.close();
  }
}
