import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MediaView, Upload } from '../../core/contracts/api.ts';
import { type Api, apiAs, assemblyWith, OPERATOR, startReceiver } from '../helpers/api.ts';
import { eventually, testCloud } from '../helpers/cloud.ts';
import { probe, testVideo } from '../helpers/pipeline.ts';

let folder: string;
let assembly: Awaited<ReturnType<typeof assemblyWith>>;
let booted: Awaited<ReturnType<typeof testCloud>>;
let ada: Api;
let operator: Api;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dropreel-api-'));
  const loopback = { WEBHOOK_ALLOW_LOOPBACK: 'true' };
  assembly = await assemblyWith({ api: loopback, 'deliver-webhook': loopback });
  booted = await testCloud({ assembly: assembly.directory });
  ada = await apiAs(booted.cloud, 'ada');
  operator = await apiAs(booted.cloud, 'root', OPERATOR);
});
afterAll(async () => {
  await booted[Symbol.asyncDispose]();
  await assembly[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

async function announce(api: Api, bytes: Buffer, more: object = {}): Promise<Upload> {
  const body = { fileName: 'clip.mp4', size: bytes.length, contentType: 'video/mp4', ...more };
  const { status, body: upload } = await api('POST', '/uploads', { body });
  expect(status, JSON.stringify(upload)).toBe(201);
  return Upload.parse(upload);
}

async function uploadWhole(api: Api, bytes: Buffer, more: object = {}): Promise<string> {
  const { id, put } = await announce(api, bytes, more);
  const sent = await fetch(put?.url ?? '', { method: 'PUT', headers: put?.headers ?? {}, body: bytes });
  expect(sent.status, await sent.text()).toBe(200);
  const { status } = await api('POST', `/uploads/${id}/complete`);
  expect(status).toBe(202);
  return id;
}

async function becomes(id: string, test: (media: MediaView) => boolean, api: Api = ada): Promise<MediaView> {
  let last: unknown;
  const check = async () => {
    const { body } = await api('GET', `/media/${id}`);
    last = body;
    const media = MediaView.parse(body);
    return test(media) && media;
  };
  try {
    return await eventually(`${id} changes`, check, 90_000);
  } catch (error) {
    throw new Error(`${String(error)}: ${JSON.stringify(last)}`);
  }
}

/** Lets the schedule come round. */
const sweep = () => booted.cloud.clock.advance(5 * 60_000);

describe('the life of a video, over HTTP only', () => {
  it('goes from an upload to a stream, to a new version, back, and away, and tells a webhook of each change', async () => {
    await using receiver = await startReceiver();
    const created = await ada('POST', '/webhooks', { body: { url: receiver.url } });
    expect(created.status, JSON.stringify(created.body)).toBe(201);
    const secret = String(created.body.secret);
    const told = () => receiver.received.map(({ body }) => JSON.parse(body).type as string);

    const collection = { id: 'talks', title: 'Talks', preset: 'compact' };
    expect((await ada('POST', '/collections', { body: collection })).status).toBe(201);

    const bytes = await readFile(await testVideo(join(folder, 'clip.mp4'), { seconds: 2 }));
    const id = await uploadWhole(ada, bytes, { collectionId: 'talks', title: 'First' });
    const ready = await becomes(id, (media) => media.state === 'ready');
    expect(ready).toMatchObject({
      title: 'First',
      collectionId: 'talks',
      kind: 'video',
      playable: true,
      access: 'public',
      attempts: 0,
      source: { fileName: 'clip.mp4', size: bytes.length, width: 320, height: 180 },
      job: { n: 1, state: 'published', progress: 100, preset: { name: 'compact', version: 1 } },
      version: { n: 1 },
    });
    expect(ready.job?.steps.map(({ name }) => name)).toEqual(['pulled', 'transcoded', 'pushed']);
    const played = await probe(ready.playback?.hls ?? '');
    expect(played.streams.map((stream) => stream.codec_type)).toContain('video');

    const { headers } = await ada('GET', `/media/${id}`);
    const etag = headers.get('etag') ?? '';
    const renamed = await ada('PATCH', `/media/${id}`, { body: { title: 'Second' }, headers: { 'If-Match': etag } });
    expect([renamed.status, renamed.body.title]).toEqual([200, 'Second']);
    const late = await ada('PATCH', `/media/${id}`, { body: { title: 'Third' }, headers: { 'If-Match': etag } });
    expect([late.status, late.body.code]).toEqual([412, 'precondition_failed']);

    const listed = await ada('GET', '/media?collectionId=talks&state=ready');
    expect(listed.body).toMatchObject({ items: [{ id, title: 'Second' }], next: null });

    expect((await ada('POST', `/media/${id}/retranscode`)).status).toBe(202);
    sweep();
    const second = await becomes(id, (media) => media.state === 'ready' && media.version?.n === 2);
    expect(second).toMatchObject({ scheduleRetranscode: false, previous: { n: 1 } });
    expect((await ada('POST', `/media/${id}/rollback`)).status).toBe(202);
    const back = await becomes(id, (media) => media.version?.n === 1);
    expect(back.previous?.n).toBe(2);
    const jobs = await ada('GET', `/media/${id}/jobs`);
    expect(jobs.body).toMatchObject({
      items: [
        { n: 2, purpose: 'retranscode' },
        { n: 1, purpose: 'ingest' },
      ],
    });

    const stats = await eventually('the media is counted', async () => {
      const { body } = await ada('GET', '/stats');
      const { media, cost } = body as { media: Record<string, number>; cost: object[] };
      return media.ready === 1 && cost.length === 1 && body;
    });
    expect(stats).toMatchObject({
      creatorId: 'ada',
      bytesIn: bytes.length,
      cost: [{ engine: 'batch-cpu', month: new Date().toISOString().slice(0, 7) }],
    });

    expect((await ada('DELETE', `/media/${id}`)).body.state).toBe('deleting');
    sweep();
    await eventually('the media is gone', async () => (await ada('GET', `/media/${id}`)).status === 404, 60_000);
    expect((await ada('DELETE', '/collections/talks')).status).toBe(204);

    await eventually('the receiver was told of the end', async () => told().includes('media.deleted'));
    const inOrder = receiver.received
      .map(({ body }) => JSON.parse(body))
      .sort((a, b) => a.data.seq - b.data.seq)
      .map(({ type }) => type);
    expect([...new Set(inOrder)]).toEqual([
      'media.uploaded',
      'media.transcoding',
      'media.ready',
      'media.retranscoding',
      'media.retranscoded',
      'media.deleted',
    ]);
    // The cloud's clock was put forward, so the library's look at the timestamp is left out.
    for (const { body, headers: sent } of receiver.received) {
      const at = new Date(Number(sent['webhook-timestamp']) * 1000);
      expect(sent['webhook-signature']).toBe(new Webhook(secret).sign(String(sent['webhook-id']), at, body));
    }
    const log = await ada('GET', `/webhooks/${created.body.id}/deliveries?limit=100`);
    expect(log.body.items).toEqual(
      expect.arrayContaining([expect.objectContaining({ event: 'media.ready', status: 'delivered', attempts: 1 })]),
    );
    const [delivery] = log.body.items as { id: string; eventId: string }[];
    const replayed = await ada('POST', `/webhooks/${created.body.id}/deliveries/${delivery?.id}/replay`);
    expect([replayed.status, replayed.body.status]).toEqual([202, 'pending']);
    const times = () =>
      receiver.received.filter(({ headers: sent }) => sent['webhook-id'] === delivery?.eventId).length;
    await eventually('it is delivered again, with the same id', async () => times() === 2);
  });
});

describe('a failed media', () => {
  it('can be retried until its attempts are used up', async () => {
    const id = await uploadWhole(ada, Buffer.from('this is no video\n'.repeat(100)));
    const failed = await becomes(id, ({ state }) => state === 'failed');
    expect(failed.error?.code).toBe('not_media');
    for (let attempts = failed.attempts + 1; attempts <= failed.maxAttempts; attempts += 1) {
      const retried = await ada('POST', `/media/${id}/retry`);
      expect([retried.status, retried.body.code]).toEqual([202, undefined]);
      await becomes(id, (media) => media.state === 'failed' && media.attempts === attempts);
    }
    const refused = await ada('POST', `/media/${id}/retry`);
    expect([refused.status, refused.body.code]).toEqual([409, 'attempts_exhausted']);
    const health = await eventually('health knows the failure', async () => {
      const { body } = await operator('GET', '/health');
      return (body.last24Hours as { failed: number }).failed > 0 && body;
    });
    expect(health).toMatchObject({ last24Hours: { latestFailure: { mediaId: id, code: 'not_media' } } });
  });

  it('is not retried when it is something else than failed', async () => {
    const { id } = await announce(ada, Buffer.from('x'));
    const refused = await ada('POST', `/media/${id}/retry`);
    expect([refused.status, refused.body.code]).toEqual([409, 'wrong_state']);
  });
});

describe('an upload', () => {
  it('in parts goes on where it stopped, and is complete only with every byte', async () => {
    const bytes = Buffer.alloc(65 * 1024 * 1024, 'x');
    const { id, multipart } = await announce(ada, bytes);
    expect(multipart).toMatchObject({ partSize: 16 * 1024 * 1024, partCount: 5, received: [] });
    const send = async ({ partNumber, url }: { partNumber: number; url: string }) => {
      const start = (partNumber - 1) * 16 * 1024 * 1024;
      const { status } = await fetch(url, { method: 'PUT', body: bytes.subarray(start, start + 16 * 1024 * 1024) });
      expect(status).toBe(200);
    };
    for (const part of multipart?.parts.slice(0, 2) ?? []) await send(part);
    const early = await ada('POST', `/uploads/${id}/complete`);
    expect([early.status, early.body.code, early.body.detail]).toEqual([
      409,
      'upload_incomplete',
      'Parts are missing: 3, 4, 5.',
    ]);
    const state = Upload.parse((await ada('GET', `/uploads/${id}`)).body);
    expect(state.multipart?.received).toEqual([1, 2]);
    expect(state.multipart?.parts.map(({ partNumber }) => partNumber)).toEqual([3, 4, 5]);
    const { body } = await ada('POST', `/uploads/${id}/parts`, { body: { partNumbers: [3, 5] } });
    for (const part of body.parts as Parameters<typeof send>[0][]) await send(part);
    for (const part of state.multipart?.parts.slice(1, 2) ?? []) await send(part);
    expect((await ada('POST', `/uploads/${id}/complete`)).status).toBe(202);
    expect((await ada('POST', `/uploads/${id}/complete`)).status).toBe(202);
    expect((await becomes(id, ({ state: now }) => now === 'failed')).error?.code).toBe('not_media');
  });

  it('takes no byte more or less than announced, and no other type', async () => {
    const { put } = await announce(ada, Buffer.from('four'));
    const send = (body: string, headers: Record<string, string>) =>
      fetch(put?.url ?? '', { method: 'PUT', headers, body });
    expect((await send('fours', put?.headers ?? {})).status).toBe(403);
    expect((await send('four', { 'Content-Type': 'text/html' })).status).toBe(403);
    expect((await send('four', put?.headers ?? {})).status).toBe(200);
  });

  it('is refused by size and by type', async () => {
    const body = { fileName: 'a.mp4', size: 200_000_001, contentType: 'video/mp4' };
    expect((await ada('POST', '/uploads', { body })).body.code).toBe('too_large');
    const script = { fileName: 'a.sh', size: 10, contentType: 'text/x-shellscript' };
    expect((await ada('POST', '/uploads', { body: script })).body.code).toBe('type_not_allowed');
  });

  it('can be given up, once', async () => {
    const { id } = await announce(ada, Buffer.alloc(65 * 1024 * 1024));
    expect((await ada('DELETE', `/uploads/${id}`)).status).toBe(204);
    expect((await ada('GET', `/uploads/${id}`)).status).toBe(404);
    expect((await ada('GET', `/media/${id}`)).status).toBe(404);
  });
});

it('refuses private playback where no key is configured for it', async () => {
  const refused = await ada('POST', '/collections', { body: { id: 'secret', playback: 'private' } });
  expect([refused.status, refused.body.code]).toEqual([400, 'invalid_request']);
});

describe('an Idempotency-Key', () => {
  it('gives the first answer again, and refuses another body', async () => {
    const body = { fileName: 'a.mp4', size: 10, contentType: 'video/mp4' };
    const headers = { 'Idempotency-Key': 'one' };
    const first = await ada('POST', '/uploads', { body, headers });
    const again = await ada('POST', '/uploads', { body, headers });
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    const other = await ada('POST', '/uploads', { body: { ...body, size: 11 }, headers });
    expect([other.status, other.body.code]).toEqual([422, 'key_reused']);
    const bob = await apiAs(booted.cloud, 'bob');
    expect((await bob('POST', '/uploads', { body, headers })).body.id).not.toBe(first.body.id);
  });

  it('lets one of many requests at once through', async () => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, () =>
        ada('POST', '/collections', { body: { id: 'once' }, headers: { 'Idempotency-Key': 'many' } }),
      ),
    );
    expect(new Set(answers.map(({ status, body }) => (status === 201 ? 201 : body.code)))).toEqual(
      new Set(answers.every(({ status }) => status === 201) ? [201] : [201, 'in_progress']),
    );
  });
});

describe('a list', () => {
  it('comes in pages that leave nothing out, for creators and for operators', async () => {
    const cleo = await apiAs(booted.cloud, 'cleo');
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push((await announce(cleo, Buffer.from('x'))).id);
    const pages: string[][] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await cleo('GET', `/media?limit=2${cursor && `&cursor=${cursor}`}`);
      pages.push((body.items as MediaView[]).map((media) => media.id));
      cursor = body.next as string | null;
    }
    expect(pages.flat()).toEqual(ids.reverse());
    expect(pages.slice(0, 2).map((page) => page.length)).toEqual([2, 2]);
    const { body } = await operator('GET', '/media?creatorId=cleo');
    expect((body.items as MediaView[]).map((media) => media.id)).toEqual(ids);
    await eventually('an operator finds them among all', async () => {
      const all = await operator('GET', '/media?limit=100');
      return (all.body.items as MediaView[]).filter(({ creatorId }) => creatorId === 'cleo').length === 5;
    });
    const first = await cleo('GET', '/media?limit=2');
    const elsewhere = await cleo('GET', `/media?limit=2&state=ready&cursor=${first.body.next}`);
    expect([elsewhere.status, elsewhere.body.code]).toEqual([400, 'invalid_cursor']);
  });
});
