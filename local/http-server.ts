import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server that listens on loopback. */
export interface Listening {
  /** `http://127.0.0.1:4566` */
  url: string;
  /** Takes no new requests, lets running ones end for at most `graceMs` (default 0), then cuts every connection. */
  close(graceMs?: number): Promise<void>;
}

/** @param port 0 for any. @throws Error when it is taken */
export async function listen(server: Server, port: number): Promise<Listening> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close(graceMs = 0) {
      const closed = once(server, 'close');
      server.close();
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      // A connection is idle a moment after its client has the answer, so one look is not enough.
      const look = setInterval(() => server.closeIdleConnections(), 20);
      await closed;
      clearTimeout(cut);
      clearInterval(look);
    },
  };
}
