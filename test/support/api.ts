import { createPrivateKey, sign } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { SCOPES } from '../../core/contracts/http/system.ts';
import type { Cloud } from '../../local/boot.ts';
import { eventually } from './cloud.ts';

export const CREATOR = [SCOPES.creator];
export const OPERATOR = [SCOPES.creator, SCOPES.operator];

/** A token as that person would have after signing in. */
export async function tokenOf(cloud: Cloud, creatorId: string, scopes: string[] = CREATOR): Promise<string> {
  const response = await fetch(`${cloud.issuer?.url}/dev/token`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: basic(cloud.credentials) },
    body: JSON.stringify({ username: creatorId, scopes }),
  });
  if (!response.ok) throw new Error(`no token: ${response.status} ${await response.text()}`);
  return z.object({ access_token: z.string() }).parse(await response.json()).access_token;
}

/** What the local issuer gives development tokens for. */
const basic = ({ accessKeyId, secretAccessKey }: Cloud['credentials']) =>
  `Basic ${btoa(`${accessKeyId}:${secretAccessKey}`)}`;

export interface ApiAnswer {
  status: number;
  headers: Headers;
  /** Parsed; null for none. */
  body: Record<string, unknown>;
}

export type Api = (
  method: string,
  path: string,
  options?: { body?: unknown; headers?: Record<string, string> },
) => Promise<ApiAnswer>;

/** The API as one caller sees it. */
export function apiWith(cloud: Cloud, token: string | null): Api {
  return async (method, path, { body, headers = {} } = {}) => {
    const response = await fetch(`${cloud.apiUrl}${path}`, {
      method,
      headers: {
        ...(token !== null && { Authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : {} };
  };
}

export async function apiAs(cloud: Cloud, creatorId: string, scopes: string[] = CREATOR): Promise<Api> {
  return apiWith(cloud, await tokenOf(cloud, creatorId, scopes));
}

/** Signs whatever claims with the local issuer's own key, as nobody but the issuer could. */
export async function forge(stateDir: string, token: string, claims: Record<string, unknown>): Promise<string> {
  const { kid, privateKey } = z
    .object({ kid: z.string(), privateKey: z.string() })
    .parse(JSON.parse(await readFile(join(stateDir, 'cognito', 'secrets.json'), 'utf8')));
  const body = encode({ ...claimsOf(token), ...claims });
  const head = encode({ kid, alg: 'RS256' });
  const signature = sign('RSA-SHA256', Buffer.from(`${head}.${body}`), createPrivateKey(privateKey));
  return `${head}.${body}.${signature.toString('base64url')}`;
}

export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
}

export const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** The synthesized app with further environment for some functions: what no stack sets, as webhooks to loopback. */
export async function assemblyWith(environment: Record<string, Record<string, string>>, assembly = 'cdk.out') {
  const directory = await mkdtemp(join(tmpdir(), 'dropreel-assembly-'));
  const original = resolve(assembly);
  const file = 'Dropreel.template.json';
  const template = JSON.parse(await readFile(join(original, file), 'utf8')) as {
    Resources: Record<string, { Type: string; Properties: { Environment?: { Variables: Record<string, unknown> } } }>;
  };
  for (const { Type, Properties } of Object.values(template.Resources)) {
    if (Type !== 'AWS::Lambda::Function' || !Properties.Environment) continue;
    const name = String(Properties.Environment.Variables.POWERTOOLS_SERVICE_NAME);
    Object.assign(Properties.Environment.Variables, environment[name]);
  }
  await cp(original, directory, { recursive: true, filter: (path) => !path.includes('/asset.') });
  for (const name of (await readdir(original)).filter((entry) => entry.startsWith('asset.'))) {
    await symlink(join(original, name), join(directory, name));
  }
  await writeFile(join(directory, file), JSON.stringify(template));
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/**
 * A receiver of webhooks on loopback. `answers` are the statuses it gives, the last one for ever, once `held` is over. Pings it
 * answers with 204, and keeps apart.
 */
export async function startReceiver(answers: number[] = [200], held?: Promise<void>) {
  const received: Received[] = [];
  const pings: Received[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    if (body.startsWith('{"type":"webhook.ping"')) {
      pings.push({ headers: request.headers, body });
      response.writeHead(204).end();
      return;
    }
    received.push({ headers: request.headers, body });
    const status = answers[Math.min(received.length, answers.length) - 1] ?? 200;
    await held;
    response.writeHead(status).end('ok');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return {
    url,
    received,
    pings,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** An endpoint of this receiver that has answered its ping. @returns its id and secret */
export async function addWebhook(api: Api, url: string): Promise<{ id: string; secret: string }> {
  const created = await api('POST', '/webhooks', { body: { url } });
  if (created.status !== 201) throw new Error(JSON.stringify(created.body));
  const [id, secret] = [String(created.body.id), String(created.body.secret)];
  await eventually('the ping is answered', async () => {
    return (await api('GET', `/webhooks/${id}`)).body.state === 'active';
  });
  return { id, secret };
}
