import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type AccessCheck, AwsError, type Service } from '../../../kernel/service.ts';

/** A service over HTTP without the gateway's signatures and policies; `authorize` sees every check. */
export async function serve(
  service: Service,
  authorize: (check: AccessCheck) => void = () => {},
): Promise<{ endpoint: string; close(): Promise<void> }> {
  const server = createServer(async (incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', 'http://local');
    const requestId = randomUUID();
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(',') : (value ?? ''),
      ]),
    );
    const request = {
      requestId,
      method: incoming.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers,
      body: incoming,
      trailers: {},
      principal: { type: 'developer' as const },
      authorize,
    };
    const response = await service
      .handle(request)
      .catch((error: unknown) =>
        service.renderError(
          error instanceof AwsError ? error : new AwsError('ServerException', 500, String(error)),
          requestId,
        ),
      );
    outgoing.writeHead(response.status, response.headers);
    const body = response.body ?? '';
    await pipeline(body instanceof Readable ? body : Readable.from([Buffer.from(body)]), outgoing);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
