import { createHmac } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callbackSecret } from '../../aws/engine-key.ts';
import { apply, getMedia } from '../../aws/table.ts';
import type { Operation } from '../../core/api/operation.ts';
import { OPERATIONS } from '../../core/api/operations.ts';
import type { JobRow } from '../../core/contracts/table/jobs.ts';
import { rowKeys } from '../../core/contracts/table/keys.ts';
import type { MediaRow } from '../../core/contracts/table/media.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { type Api, apiAs, apiWith, claimsOf, encode, forge, OPERATOR, tokenOf } from '../support/api.ts';
import { eventually, testCloud } from '../support/cloud.ts';

let stateDir: string;
let booted: Awaited<ReturnType<typeof testCloud>>;
let ada: Api;
/** Ids of things that are ada's. */
const hers: Record<string, string> = {};
const PRESET = { crf: 30, rungs: [{ shortSide: 240, maxBitrate: 400_000, audio: '128k' }] };

beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'dropreel-access-'));
  booted = await testCloud({ stateDir });
  ada = await apiAs(booted.cloud, 'ada');
  const upload = { fileName: 'a.mp4', size: 10, contentType: 'video/mp4' };
  hers.media = String((await ada('POST', '/uploads', { body: upload })).body.id);
  await ada('POST', '/collections', { body: { id: 'talks' } });
  expect((await ada('PUT', '/presets/hers', { body: PRESET })).status).toBe(200);
  hers.webhook = String((await ada('POST', '/webhooks', { body: { url: 'https://example.com/' } })).body.id);
});
afterAll(async () => {
  await booted[Symbol.asyncDispose]();
  await rm(stateDir, { recursive: true, force: true });
});

const operations = Object.entries<Operation>(OPERATIONS).map(([id, operation]) => ({ id, ...operation }));
const guarded = operations.filter(({ who }) => who !== 'anyone');

/** A path with ada's own ids in it. */
function pathOf({ path }: { path: string }): string {
  const id = path.startsWith('/webhooks') ? hers.webhook : path.startsWith('/collections') ? 'talks' : hers.media;
  return path
    .replace('{id}', String(id))
    .replace('{name}', 'hers')
    .replace('{order}', 'stop')
    .replace('{deliveryId}', `1795269600000-evt_${hers.media}_1`)
    .replace('{jobId}', `${hers.media}-1`);
}

const BODIES: Readonly<Record<string, unknown>> = {
  createUploadParts: { partNumbers: [1] },
  patchMedia: { title: 'x' },
  patchCollection: { title: 'x' },
  patchWebhook: { enabled: true },
  rollOutPreset: {},
  replayFailed: {},
};

describe('every route that requires a token', () => {
  it.each(guarded)('$id refuses a request without a token', async (operation) => {
    const { status } = await apiWith(booted.cloud, null)(operation.method, pathOf(operation));
    expect(status).toBe(401);
  });

  it.each([
    ['expired', async (token: string) => forge(stateDir, token, { exp: Math.floor(Date.now() / 1000) - 1 })],
    ['of another audience', async (token: string) => forge(stateDir, token, { client_id: 'other', aud: 'other' })],
    ['of another issuer', async (token: string) => forge(stateDir, token, { iss: 'https://evil.example' })],
    [
      'that is not valid yet',
      async (token: string) => forge(stateDir, token, { nbf: Math.floor(Date.now() / 1000) + 600 }),
    ],
    [
      'without a signature (alg: none)',
      async (token: string) => `${encode({ alg: 'none', kid: 'x' })}.${encode(claimsOf(token))}.`,
    ],
    [
      'signed with HS256 and a guessed key',
      async (token: string) => {
        const text = `${encode({ alg: 'HS256', kid: 'x' })}.${encode(claimsOf(token))}`;
        return `${text}.${createHmac('sha256', 'secret').update(text).digest('base64url')}`;
      },
    ],
    [
      'with changed claims',
      async (token: string) => token.replace(/\..*\./, `.${encode({ ...claimsOf(token), username: 'eve' })}.`),
    ],
    ['of 9,000 characters', async (token: string) => `${token}${'x'.repeat(9000 - token.length)}`],
  ])('refuses a token %s', async (_, make) => {
    const api = apiWith(booted.cloud, await make(await tokenOf(booted.cloud, 'ada')));
    const answers = await Promise.all(guarded.map((operation) => api(operation.method, pathOf(operation))));
    expect(answers.map(({ status }) => status)).toEqual(guarded.map(() => 401));
  });

  it('accepts the token that the refused ones were made of', async () => {
    const token = await tokenOf(booted.cloud, 'ada');
    expect((await apiWith(booted.cloud, token)('GET', '/media')).status).toBe(200);
    expect((await apiWith(booted.cloud, await forge(stateDir, token, {}))('GET', '/media')).status).toBe(200);
  });

  it('forbids a token without a scope of the API', async () => {
    const forged = await forge(stateDir, await tokenOf(booted.cloud, 'ada'), { scope: 'openid email' });
    const { status, body } = await apiWith(booted.cloud, forged)('GET', '/media');
    expect([status, body.code]).toEqual([403, 'forbidden']);
  });
});

describe('another creator', () => {
  // A PUT makes one of her own under the name.
  const ofHers = guarded.filter(({ id, path }) => path.includes('{') && id !== 'putPreset');
  it.each(ofHers)('finds nothing at $method $path', async (operation) => {
    const eve = await apiAs(booted.cloud, 'eve');
    const body = operation.body ? { body: BODIES[operation.id] } : {};
    const { status, body: problem } = await eve(operation.method, pathOf(operation), body);
    expect([status, problem.code], JSON.stringify(problem)).toEqual([404, 'not_found']);
    expect(problem.detail).not.toContain('ada');
  });

  it('may not act for her', async () => {
    const eve = await apiAs(booted.cloud, 'eve');
    for (const path of [
      '/media?creatorId=ada',
      '/collections?creatorId=ada',
      '/webhooks?creatorId=ada',
      '/stats?creatorId=ada',
      '/costs?creatorId=ada',
    ]) {
      expect((await eve('GET', path)).body.code, path).toBe('forbidden');
    }
    const upload = { fileName: 'a.mp4', size: 10, contentType: 'video/mp4', creatorId: 'ada' };
    expect((await eve('POST', '/uploads', { body: upload })).body.code).toBe('forbidden');
  });

  it.each(['/health', '/jobs', '/engines'])('may not see %s, which is of all', async (path) => {
    expect((await ada('GET', path)).body.code).toBe('forbidden');
  });

  it("may do all of it with the operator's scope", async () => {
    const operator = await apiAs(booted.cloud, 'root', OPERATOR);
    expect((await operator('GET', `/media/${hers.media}`)).body.creatorId).toBe('ada');
    expect((await operator('GET', '/collections/talks?creatorId=ada')).body.id).toBe('talks');
    for (const path of ['/health', '/jobs', '/engines', '/costs', '/webhooks']) {
      expect((await operator('GET', path)).status, path).toBe(200);
    }
  });
});

describe("an engine's callback", () => {
  const call = (headers: Record<string, string>, body: string) =>
    fetch(`${booted.cloud.apiUrl}/engine-callbacks/${hers.media}-1`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body,
    });
  const signed = (secret: string, id: string, body: string, at = new Date()) => ({
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign(id, at, body),
  });
  const body = JSON.stringify({ jobId: 'engine-1', status: 'completed' });

  it('is refused unsigned, with the secret of another job, changed, or old', async () => {
    const table = { client: developerClients(booted.cloud).table, name: booted.cloud.outputs.Table ?? '' };
    const secret = await callbackSecret(table, `${hers.media}-1`);
    const other = await callbackSecret(table, `${hers.media}-2`);
    const old = new Date(Date.now() - 6 * 60_000);
    const statuses = [
      (await call({}, body)).status,
      (await call(signed(other, 'm1', body), body)).status,
      (await call(signed(secret, 'm1', body), body.replace('completed', 'failed'))).status,
      (await call(signed(secret, 'm1', body, old), body)).status,
    ];
    expect(statuses).toEqual([401, 401, 401, 401]);
    const stale = await call(signed(secret, 'm1', body), body);
    expect([stale.status, await stale.json()]).toEqual([202, { accepted: false, reason: 'stale' }]);
  });
});

it("an engine's callback for the current job is accepted once", async () => {
  const table = { client: developerClients(booted.cloud).table, name: booted.cloud.outputs.Table ?? '' };
  const { media, job } = runningJob();
  await apply(table, [
    { op: 'put', key: rowKeys.media(media.mediaId), row: media },
    { op: 'put', key: rowKeys.job(media.mediaId, 1), row: job },
  ]);
  const secret = await callbackSecret(table, job.jobId);
  const body = JSON.stringify({ jobId: 'engine-1', status: 'failed', error: 'out of tape' });
  const at = new Date();
  const send = async () => {
    const response = await fetch(`${booted.cloud.apiUrl}/engine-callbacks/${job.jobId}`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'webhook-id': 'm1',
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': new Webhook(secret).sign('m1', at, body),
      },
      body,
    });
    return response.json();
  };
  expect(await send()).toEqual({ accepted: true, reason: 'ok' });
  expect(await send()).toMatchObject({ accepted: false });
  await eventually('the job has failed', async () => (await getMedia(table, media.mediaId))?.state === 'failed');
  expect((await getMedia(table, media.mediaId))?.seq).toBe(2);
  expect(await send()).toMatchObject({ accepted: false });
});

function runningJob(): { media: MediaRow; job: JobRow } {
  const mediaId = 'b'.repeat(26);
  const at = new Date().toISOString();
  const source = { bucket: 'b', key: 'drop/ada/default/a.mp4', sequencer: '1', size: 10, etag: '"e"' };
  const common = { mediaId, creatorId: 'ada', collectionId: 'default', createdAt: at };
  return {
    media: {
      ...common,
      type: 'media',
      owner: 'ada',
      collection: 'ada#default',
      title: 'A',
      state: 'transcoding',
      seq: 1,
      source,
      jobId: `${mediaId}-1`,
      jobCount: 1,
      attempts: 1,
      scheduleRetranscode: false,
      updatedAt: at,
    },
    job: {
      ...common,
      type: 'job',
      jobId: `${mediaId}-1`,
      n: 1,
      purpose: 'ingest',
      engine: 'batch-cpu',
      engineJobId: 'engine-1',
      state: 'running',
      source,
      preset: { name: 'standard', version: 1 },
      steps: [],
      progress: 10,
      attempt: 1,
      heartbeatAt: at,
    },
  };
}

describe('what the gateway does not route', () => {
  it('is a problem that names the existing methods', async () => {
    const { status, headers, body } = await ada('DELETE', '/media');
    expect([status, headers.get('allow'), body.code]).toEqual([405, 'GET', 'method_not_allowed']);
    expect(headers.get('content-type')).toBe('application/problem+json');
    const put = await ada('PUT', '/media/pws53vd4sbg74y3mh46lefoij5');
    expect([put.status, put.headers.get('allow'), put.body.code]).toEqual([
      405,
      'GET, PATCH, DELETE',
      'method_not_allowed',
    ]);
    const head = await ada('HEAD', '/media');
    expect([head.status, head.headers.get('allow')]).toEqual([405, 'GET']);
  });

  it('is a problem for an unknown path, and for text that is not JSON', async () => {
    expect((await ada('GET', '/medias')).body.code).toBe('not_found');
    const token = await tokenOf(booted.cloud, 'ada');
    const response = await fetch(`${booted.cloud.apiUrl}/uploads`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: '{"fileName":',
    });
    expect(await response.json()).toMatchObject({ code: 'malformed_request' });
  });
});
