import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { grant } from '../../../cli/token.ts';

it('a redirect of a token endpoint is not followed, because 307 would send the secret along', async () => {
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(307, { location: '/elsewhere' }).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const profile = { name: 'test', apiUrl, tokenUrl: `${apiUrl}/token` } as Parameters<typeof grant>[0];
    await expect(grant(profile, { client_secret: 'secret' })).rejects.toThrow('/token cannot be reached');
    expect(asked).toEqual(['/token']);
  } finally {
    server.close();
  }
});
