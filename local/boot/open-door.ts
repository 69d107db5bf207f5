import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Listening, listen } from '../kernel/http-server.ts';

/** The one server that other machines reach. */
export interface OpenDoor {
  /** Of this machine: `192.168.1.5`, or `0.0.0.0` for all of its addresses. */
  address: string;
  port: number;
  /** The origin by which others ask: `https://media.example` of a proxy that ends TLS, or `http://192.168.1.5:8080`. */
  url: string;
}

/** Where the API is behind the door. An underscore begins no path of the distribution that a product's ids could take. */
export const API_PATH = '/_api';

/**
 * Serves the distribution, and under `/_api` the HTTP API, to other machines. Not the AWS services, the token issuer and the database:
 * they stay on loopback. The API takes access tokens, so it is behind the door only where the door's URL is https.
 * @throws Error when the port is taken, or the address is none of this machine's
 */
export async function openDoor(
  { address, port, url }: OpenDoor,
  { delivery, api }: { delivery: RequestListener; api: RequestListener | undefined },
): Promise<Listening> {
  const handler: RequestListener = (incoming, outgoing) => {
    // Nor may other sites show what is here as a picture, a script or a frame. Browsers name such a page (Sec-Fetch-Site) to https and
    // loopback only: https://www.w3.org/TR/fetch-metadata/#framework
    outgoing.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
    outgoing.setHeader('X-Frame-Options', 'SAMEORIGIN');
    const path = pathOf(incoming);
    if (path !== API_PATH && !path.startsWith(`${API_PATH}/`)) return delivery(incoming, outgoing);
    if (!api || !url.startsWith('https:')) return withoutApi(outgoing);
    incoming.url = incoming.url?.slice(API_PATH.length) || '/';
    return api(incoming, outgoing);
  };
  // `maxHeaderSize` is the API's, which answers 431 by itself.
  return listen(handler, { port, pages: 'own', open: { address, origin: url }, maxHeaderSize: 64 * 1024 });
}

function pathOf({ url = '/' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '/';
}

function withoutApi(outgoing: ServerResponse): void {
  outgoing.writeHead(404, { 'content-type': 'text/plain', connection: 'close' });
  outgoing.end('The API is served by an https URL only, because it takes access tokens.\n');
}
