/**
 * The HTTP server of every local service. It listens on loopback, which each web page that the user visits and each user of the
 * machine can reach, so every request is checked before a service sees it:
 * - `Host` names loopback and the server's own port. A page whose name resolves to this machine (DNS rebinding) sends its own name.
 * - A page's request comes from a loopback page. Browsers name the page in `Origin`, and for a cross-site request without `Origin`
 *   (`Sec-Fetch-Site`; image, script, link) in `Referer`, which a page can omit but not choose.
 * Clients other than browsers send neither header; the services authenticate them.
 *
 * The one server that is open to other machines (`open`) is asked by one name instead, that of its public URL, and by its own pages only.
 * A link of another page leads to it all the same, because people send each other links.
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
  /** Open to other machines: the address to listen on, and the origin by which they ask, of a proxy if there is one. */
  open?: { address: string; origin: string };
}

/** @throws Error when the port is taken, or the address is none of this machine's */
export async function listen(
  handler: RequestListener,
  { port, pages, open, ...options }: ListenOptions,
): Promise<Listening> {
  const server = createServer(options, (incoming, outgoing) => {
    const problem = open ? refusalOfOpen(incoming, open.origin) : refusal(incoming, pages);
    if (problem === undefined) handler(incoming, outgoing);
    else refuse(outgoing, problem);
  });
  server.listen(port, open?.address ?? '127.0.0.1');
  await once(server, 'listening');
  return {
    url: open?.origin ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
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

/** The reason why a request from another machine is refused; undefined when it is accepted. */
function refusalOfOpen({ headers, method }: IncomingMessage, origin: string): string | undefined {
  if (headers.host?.toLowerCase() !== new URL(origin).host)
    return `This server answers to ${new URL(origin).host} only`;
  const site = headers['sec-fetch-site'];
  const crosses = site === 'cross-site' || site === 'same-site';
  const page = headers.origin ?? (crosses ? (headers.referer ?? '') : undefined);
  if (page === undefined || (URL.canParse(page) && new URL(page).origin === origin)) return undefined;
  // A link that was followed, or a page that sends the browser here: no page reads the answer, and no form is sent.
  const followed = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
  if (followed && method === 'GET' && headers.origin === undefined) return undefined;
  return 'Pages of other sites may not call this server';
}

function refuse(outgoing: ServerResponse, problem: string): void {
  // The rest of the body is not read.
  outgoing.writeHead(403, { 'content-type': 'text/plain', connection: 'close' });
  outgoing.end(`${problem}.\n`);
}
