import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { SCOPES } from '../../core/contracts/http/system.ts';
import { REGION } from '../../local/kernel/account.ts';
import { Failed } from './failed.ts';
import { answerFor, type ReceivedRequest, type Receiver } from './receiver.ts';
import { clientsOf, describeStack, type Target } from './target.ts';

/** What `npm run dev` leaves for clients, and what a test knows of its cloud. */
const LocalCloud = z.object({
  endpoint: z.string(),
  issuerUrl: z.string(),
  credentials: z.object({ accessKeyId: z.string(), secretAccessKey: z.string() }),
});
export type LocalCloud = z.infer<typeof LocalCloud>;

const STACK = 'Dropreel';

/**
 * The local cloud that runs in this directory.
 * @throws Failed when there is none
 */
export async function localTarget(): Promise<Target> {
  const text = await readFile('.dropreel/cloud.json', 'utf8').catch(() => {
    throw new Failed('No local cloud runs here: start one with `npm run dev`.');
  });
  return targetOf(LocalCloud.parse(JSON.parse(text)));
}

export async function targetOf(cloud: LocalCloud, options: Partial<Target> = {}): Promise<Target> {
  const { endpoint, credentials } = cloud;
  const clients = clientsOf({ endpoint, credentials, region: REGION });
  return {
    stack: STACK,
    ...(await describeStack(clients, STACK)),
    clients,
    token: () => developmentToken(cloud),
    receiver: loopbackReceiver,
    patience: 1,
    pollMs: 250,
    longClip: { seconds: 10, size: '640x360' },
    ...options,
  };
}

async function developmentToken({ issuerUrl, credentials }: LocalCloud): Promise<string> {
  const { accessKeyId, secretAccessKey } = credentials;
  const response = await fetch(`${issuerUrl}/dev/token`, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Basic ${btoa(`${accessKeyId}:${secretAccessKey}`)}`,
    },
    body: JSON.stringify({ username: 'verify', scopes: Object.values(SCOPES) }),
  });
  if (!response.ok) throw new Failed(`The local issuer gave no token: ${response.status} ${await response.text()}`);
  return z.object({ access_token: z.string() }).parse(await response.json()).access_token;
}

async function loopbackReceiver(): Promise<Receiver> {
  const requests: ReceivedRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString('utf8');
    const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
    const status = answerFor(headers, body, requests);
    requests.push({ headers, body, status });
    outgoing.writeHead(status).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received: () => Promise.resolve(requests),
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
