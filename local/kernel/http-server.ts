/**
 * The HTTP server of every local service. It listens on loopback, which each web page that the user visits and each user of the
 * machine can reach, so every request is checked before a service sees it:
 * - `Host` names loopback and the server's own port. A page whose name resolves to this machine (DNS rebinding) sends its own name.
 * - A page's request comes from a loopback page. Browsers name the page in `Origin`, and for a cross-site request without `Origin`
 *   (`Sec-Fetch-Site`; image, script, link) in `Referer`, which a page can omit but not choose.
 * Clients other than browsers send neither header; the services authenticate them.
 */
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { isLoopbackUrl } from './loopback.ts';

/** A server that listens on loopback. */
export interface Listening {
  /** `http://127.0.0.1:4566` */
  url: string;
  /** Accepts no new requests, waits at most `graceMs` (default 0) for running ones, then cuts every connection. */
  close(graceMs?: number): Promise<void>;
}

export interface ListenOptions extends ServerOptions {
  /** 0 for any. */
  port: number;
  /** Web pages that may call: those of any loopback port, or only the server's own. */
  pages: 'loopback' | 'own';
}

/** @throws Error when the port is taken */
export async function listen(handler: RequestListener, { port, pages, ...options }: ListenOptions): Promise<Listening> {
  const server = createServer(options, (incoming, outgoing) => {
    const problem = refusal(incoming, pages);
    if (problem === undefined) handler(incoming, outgoing);
    else refuse(outgoing, problem);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close(graceMs = 0) {
      const closed = once(server, 'close');
      server.close();
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      // A connection becomes idle a moment after its client has the answer, so one check is not enough.
      const look = setInterval(() => server.closeIdleConnections(), 20);
      await closed;
      clearTimeout(cut);
      clearInterval(look);
    },
  };
}

/** The reason why a request is refused; undefined when it is accepted. */
function refusal({ headers, socket }: IncomingMessage, pages: ListenOptions['pages']): string | undefined {
  const { host = '' } = headers;
  const own = `http://${host}`;
  const named = URL.canParse(own) ? new URL(own) : undefined;
  // `URL` accepts other spellings of a host, and more than a host. An absent port is 80.
  const isOwn = named?.host === host.toLowerCase() && Number(named.port || 80) === socket.localPort;
  if (!isOwn || !isLoopbackUrl(own)) return 'This server answers to loopback names with its own port only';
  const site = headers['sec-fetch-site'];
  const crosses = site === 'cross-site' || site === 'same-site';
  // A site is a name without its port: `same-site` can be a page of another port.
  const page = headers.origin ?? (crosses ? (headers.referer ?? '') : undefined);
  if (page === undefined) return undefined;
  const mayCall = pages === 'loopback' ? isLoopbackUrl(page) : URL.canParse(page) && new URL(page).host === named?.host;
  return mayCall ? undefined : 'Pages of other sites may not call this server';
}

function refuse(outgoing: ServerResponse, problem: string): void {
  // The rest of the body is not read.
  outgoing.writeHead(403, { 'content-type': 'text/plain', connection: 'close' });
  outgoing.end(`${problem}.\n`);
}
