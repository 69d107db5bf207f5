import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const LOOPBACK = '127.0.0.1';
/** A name that no resolver knows (RFC 6761, 6.4): FFmpeg takes every address to the door, as to a proxy. */
const HOST = 'source.invalid';

/** The addresses of doors in a text. */
export const DOOR_ADDRESS = /http:\/\/source\.invalid\/[\w-]{32}/g;

export interface Door extends AsyncDisposable {
  /** The only address that is served. */
  url: string;
  /** The proxy that serves it. */
  proxy: string;
}

export interface Behind {
  size: number;
  /** Some bytes from a place on; at least one. */
  from(at: number): Promise<Buffer>;
}

/**
 * A server on loopback through which FFmpeg reads a source. FFmpeg sends it every http request, whatever address a file names, and it
 * serves one path, which is random, so that no other program of the machine reads through it. It redirects nowhere. A source that cannot be
 * read ends the connection, which FFmpeg takes for the file's end: whoever opens the door has to stop FFmpeg.
 */
export async function openDoor(source: Behind): Promise<Door> {
  const path = `/${randomBytes(24).toString('base64url')}`;
  const served = new Set([`http://${HOST}${path}`, `http://${HOST}:80${path}`]);
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || !served.has(request.url ?? '')) {
      response.writeHead(403, { connection: 'close' }).end();
      return;
    }
    serve(source, request, response).catch(() => response.destroy());
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${HOST}${path}`,
    proxy: `http://${LOOPBACK}:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function serve(source: Behind, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { size } = source;
  const start = Number(/^bytes=(\d{1,16})-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  if (start >= size) {
    response.writeHead(416, { 'content-range': `bytes */${size}`, connection: 'close' }).end();
    return;
  }
  response.writeHead(206, {
    'content-range': `bytes ${start}-${size - 1}/${size}`,
    'content-length': size - start,
    'accept-ranges': 'bytes',
    connection: 'close',
  });
  const left = new AbortController();
  response.once('close', () => left.abort());
  for (let at = start; at < size && !left.signal.aborted; ) {
    const bytes = await source.from(at);
    at += bytes.length;
    if (!response.write(bytes)) await once(response, 'drain', { signal: left.signal });
  }
  response.end();
}
