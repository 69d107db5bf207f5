import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { expect, it } from 'vitest';
import { Client } from '../../../client/client.ts';
import { RefusedError, UnexpectedAnswerError, UnreachableError } from '../../../client/errors.ts';
import { itemsOf } from '../../../client/pages.ts';

interface Seen {
  line: string;
  authorization: string | undefined;
  key: string | undefined;
  body: string;
}

/** An API that answers what it is told to, one answer a request, and keeps what it was asked. */
async function apiOf(...answers: ((response: ServerResponse, request: IncomingMessage) => void)[]) {
  const seen: Seen[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { authorization, 'idempotency-key': key } = request.headers;
    seen.push({ line: `${request.method} ${request.url}`, authorization, key: key as string | undefined, body });
    (answers[seen.length - 1] ?? ((other) => other.writeHead(500).end()))(response, request);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    seen,
    client: new Client(`${url}/`, () => 'secret'),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

const json = (status: number, value: unknown, headers: Record<string, string> = {}) => {
  return (response: ServerResponse) => response.writeHead(status, headers).end(JSON.stringify(value));
};

const collection = {
  id: 'talks',
  creatorId: 'me',
  title: 'Talks',
  preset: 'standard',
  engine: 'batch-cpu',
  deleteOriginal: false,
  retranscodeFromOutput: false,
  playback: 'public',
  embedOrigins: null,
  deadlineMinutes: null,
  maxUsdPerMonth: null,
  scheduleRetranscode: false,
  createdAt: '2026-11-28T10:00:00Z',
  updatedAt: '2026-11-28T10:00:00Z',
};

const problem = (code: string, status: number) => ({
  type: `urn:dropreel:problem:${code}`,
  title: 'Title',
  status,
  code,
  detail: 'Detail.',
});

it('a request has path parameters, query and body as its operation defines, and the answer is parsed', async () => {
  await using api = await apiOf(json(200, { ...collection, addedLater: 1 }));
  const body = { title: 'Talks', playback: 'public' } as const;
  const answer = await api.client.call('patchCollection', { id: 'a/b', query: { creatorId: 'anna' }, body });
  expect(answer).toEqual(collection);
  expect(api.seen).toEqual([
    {
      line: 'PATCH /collections/a%2Fb?creatorId=anna',
      authorization: 'Bearer secret',
      key: undefined,
      body: '{"title":"Talks","playback":"public"}',
    },
  ]);
});

it('an answer without a body is undefined, and an open operation is called without a token', async () => {
  await using api = await apiOf((response) => response.writeHead(204).end(), json(200, { openapi: '3.1.0' }));
  expect(await api.client.call('deleteCollection', { id: 'talks' })).toBeUndefined();
  expect(await api.client.call('getOpenApi')).toEqual({ openapi: '3.1.0' });
  expect(api.seen.map(({ authorization }) => authorization)).toEqual(['Bearer secret', undefined]);
});

it('a POST is repeated under one Idempotency-Key after a cut connection, a 503, and a first attempt in progress', async () => {
  await using api = await apiOf(
    (_, request) => request.socket.destroy(),
    json(503, problem('unavailable', 503)),
    json(409, problem('in_progress', 409), { 'Retry-After': '0' }),
    json(201, collection),
  );
  await api.client.call('createCollection', { body: { id: 'talks' } });
  expect(api.seen).toHaveLength(4);
  expect(new Set(api.seen.map(({ key }) => key)).size).toBe(1);
  expect(api.seen[0]?.key).toMatch(/^[0-9a-f-]{36}$/);
});

it('a POST whose answer is not kept is sent without a key', async () => {
  await using api = await apiOf(json(200, { url: 'https://x/y', expiresAt: null }));
  await api.client.call('createMediaLink', { id: 'm', body: {} });
  expect(api.seen[0]?.key).toBeUndefined();
});

it('a refusal of the API is thrown after one attempt', async () => {
  await using api = await apiOf(
    json(404, problem('not_found', 404)),
    json(429, problem('quota_exceeded', 429), { 'Retry-After': '3600' }),
  );
  const refused = await api.client.call('getCollection', { id: 'no' }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(RefusedError);
  expect(refused).toMatchObject({ status: 404, problem: { code: 'not_found' }, message: 'Title: Detail. (not_found)' });
  await expect(api.client.call('retryMedia', { id: 'm' })).rejects.toMatchObject({ status: 429 });
  expect(api.seen).toHaveLength(2);
});

it('a PATCH without an answer throws after one attempt, because it may have taken effect', async () => {
  await using api = await apiOf((_, request) => request.socket.destroy());
  await expect(api.client.call('patchMedia', { id: 'm', body: { title: 'x' } })).rejects.toThrow(UnreachableError);
  expect(api.seen).toHaveLength(1);
});

it('an unknown answer and a redirect throw', async () => {
  await using api = await apiOf(json(200, { ...collection, playback: 'secret' }), (response) => {
    response.writeHead(302, { Location: 'https://elsewhere.example/' }).end();
  });
  await expect(api.client.call('getCollection', { id: 'talks' })).rejects.toThrow(UnexpectedAnswerError);
  await expect(api.client.call('patchMedia', { id: 'm', body: { title: 'x' } })).rejects.toThrow(UnreachableError);
});

it('a list yields the items of all pages', async () => {
  await using api = await apiOf(
    json(200, { items: [collection], next: 'c 2' }),
    json(200, { items: [{ ...collection, id: 'more' }], next: null }),
  );
  const ids: string[] = [];
  for await (const { id } of itemsOf(api.client, 'listCollections', { query: { limit: 1 } })) ids.push(id);
  expect(ids).toEqual(['talks', 'more']);
  expect(api.seen.map(({ line }) => line)).toEqual(['GET /collections?limit=1', 'GET /collections?limit=1&cursor=c+2']);
});

it('each operation has its own types', () => {
  const { client } = { client: new Client('http://127.0.0.1:9', () => '') };
  const calls = [
    () => client.call('listMedia'),
    () => client.call('listMedia', { query: { limit: 3, state: 'ready', creatorId: undefined } }),
    // @ts-expect-error the id is missing
    () => client.call('getMedia'),
    // @ts-expect-error not a state
    () => client.call('listMedia', { query: { state: 'redy' } }),
    // @ts-expect-error a number
    () => client.call('listMedia', { query: { limit: '3' } }),
    // @ts-expect-error not a field of the body
    () => client.call('patchMedia', { id: 'm', body: { titel: 'x' } }),
    // @ts-expect-error listCollections has no parameters in its path
    () => client.call('listCollections', { id: 'talks' }),
    // @ts-expect-error not an operation with pages
    () => itemsOf(client, 'getMedia'),
    async () => {
      const media = await client.call('getMedia', { id: 'm' });
      const url: string | undefined = media.playback?.mp4;
      return url;
    },
  ];
  expect(calls).toHaveLength(9);
});

it('the client is bundled for a browser without modules of Node', async () => {
  const { warnings, metafile } = await build({
    entryPoints: ['client/client.ts', 'client/pages.ts'],
    bundle: true,
    platform: 'browser',
    format: 'esm',
    write: false,
    metafile: true,
    outdir: 'unwritten',
    logLevel: 'silent',
  });
  expect(warnings).toEqual([]);
  const packages = Object.keys(metafile.inputs).flatMap(
    (path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [],
  );
  expect([...new Set(packages)]).toEqual(['zod']);
});
