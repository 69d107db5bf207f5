import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { getMedia } from '../../aws/table.ts';
import { JobList, type MediaView } from '../../core/contracts/http/media.ts';
import { Upload } from '../../core/contracts/http/uploads.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { type Api, addWebhook, apiAs, assemblyWith, OPERATOR, startReceiver } from '../support/api.ts';
import { eventually, testCloud } from '../support/cloud.ts';
import { makeClip, probe, sweepUntil, sweepUntilJob, testVideo } from '../support/pipeline.ts';
import { announce, becomes, uploadWhole } from '../support/uploads.ts';

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

describe('the life of a video, over HTTP only', () => {
  it('goes from an upload to a stream, a new version, a rollback and a deletion, and a webhook reports each change', async () => {
    await using receiver = await startReceiver();
    const webhook = await addWebhook(ada, receiver.url);
    const { secret } = webhook;
    const [ping] = receiver.pings;
    expect(new Webhook(secret).verify(ping?.body ?? '', ping?.headers as Record<string, string>)).toEqual({
      type: 'webhook.ping',
      timestamp: expect.any(String),
      data: { endpointId: webhook.id, creatorId: 'ada' },
    });
    const told = () => receiver.received.map(({ body }) => JSON.parse(body).type as string);

    const collection = { id: 'talks', title: 'Talks', preset: 'compact' };
    expect((await ada('POST', '/collections', { body: collection })).status).toBe(201);

    const clip = await testVideo(join(folder, 'clip.mp4'), { seconds: 2 });
    const twoSounds = ['-map', '0', '-map', '0:a', '-c', 'copy', '-metadata:s:a:0', 'language=ger'];
    const bytes = await readFile(await makeClip(join(folder, 'two.mp4'), '-i', clip, ...twoSounds));
    const id = await uploadWhole(ada, bytes, { collectionId: 'talks', title: 'First' });
    const ready = await becomes(ada, id, (media) => media.state === 'ready');
    expect(ready).toMatchObject({
      title: 'First',
      collectionId: 'talks',
      kind: 'video',
      playable: true,
      access: 'public',
      attempts: 0,
      source: { fileName: 'clip.mp4', size: bytes.length, width: 320, height: 180 },
      job: { n: 1, state: 'published', progress: 100, preset: { name: 'compact', version: 3 } },
      version: { n: 1 },
    });
    expect(ready.source.tracks?.map(({ type, codec, language, taken }) => [type, codec, language, taken])).toEqual([
      ['video', 'h264', undefined, true],
      ['audio', 'aac', 'de', true],
      ['audio', 'aac', undefined, false],
    ]);
    const warnings = [
      { code: 'track_skipped', message: 'The audio track 2 was not taken. Of several audio tracks one is taken.' },
    ];
    expect(ready.version?.warnings).toEqual(warnings);
    const event = await eventually('a webhook says that it is ready', async () => {
      return receiver.received.map(({ body }) => JSON.parse(body)).find(({ type }) => type === 'media.ready');
    });
    expect(event.data.warnings).toEqual(warnings);
    expect(ready.job?.steps.map(({ name }) => name)).toEqual(['pulled', 'transcoded', 'pushed']);
    const played = await probe(ready.playback?.hls ?? '');
    expect(played.streams.map((stream) => stream.codec_type)).toContain('video');

    const { headers } = await ada('GET', `/media/${id}`);
    const etag = headers.get('etag') ?? '';
    const renamed = await ada('PATCH', `/media/${id}`, { body: { title: 'Second' }, headers: { 'If-Match': etag } });
    expect([renamed.status, renamed.body.title]).toEqual([200, 'Second']);
    const late = await ada('PATCH', `/media/${id}`, { body: { title: 'Third' }, headers: { 'If-Match': etag } });
    expect([late.status, late.body.code]).toEqual([412, 'precondition_failed']);

    const { body: listed } = await eventually('the list has it under its new title', async () => {
      const list = await ada('GET', '/media?collectionId=talks&state=ready');
      return (list.body.items as MediaView[])[0]?.title === 'Second' && list;
    });
    expect(listed).toMatchObject({ items: [{ id, title: 'Second' }], next: null });

    expect((await ada('POST', `/media/${id}/retranscode`)).status).toBe(202);
    await sweepUntilJob(booted.cloud, id, 2);
    const second = await becomes(ada, id, (media) => media.state === 'ready' && media.version?.n === 2);
    expect(second).toMatchObject({ scheduleRetranscode: false, previous: { n: 1 } });
    expect((await ada('POST', `/media/${id}/rollback`)).status).toBe(202);
    const back = await becomes(ada, id, (media) => media.version?.n === 1);
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
    // A publisher may be at work for a quarter of an hour after its job ended.
    booted.cloud.clock.advance(17 * 60_000);
    await sweepUntil(booted.cloud, 'the media is gone', async () => {
      return (await ada('GET', `/media/${id}`)).status === 404;
    });
    // The index that tells whether the collection is empty lags.
    await eventually('the collection is gone', async () => {
      const { status } = await ada('DELETE', '/collections/talks');
      expect([204, 409]).toContain(status);
      return status === 204;
    });

    // Deliveries come in any order, and some twice.
    await eventually('the receiver was told of each change', async () => new Set(told()).size >= 6);
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
    const log = await eventually('its delivery is noted', async () => {
      const answer = await ada('GET', `/webhooks/${webhook.id}/deliveries?limit=100`);
      const items = answer.body.items as { event: string; status: string; attempts: number }[];
      return (
        items.some(
          ({ event, status, attempts }) => event === 'media.ready' && status === 'delivered' && attempts === 1,
        ) && answer
      );
    });
    const [delivery] = log.body.items as { id: string; eventId: string }[];
    const times = () =>
      receiver.received.filter(({ headers: sent }) => sent['webhook-id'] === delivery?.eventId).length;
    const before = times();
    const replayed = await ada('POST', `/webhooks/${webhook.id}/deliveries/${delivery?.id}/replay`);
    expect([replayed.status, replayed.body.status]).toEqual([202, 'pending']);
    await eventually('it is delivered again, with the same id', async () => times() > before);
  });
});

describe('a failed media item', () => {
  it('can be retried until its attempts are used up', async () => {
    const id = await uploadWhole(ada, Buffer.from('this is no video\n'.repeat(100)));
    const failed = await becomes(ada, id, ({ state }) => state === 'failed');
    expect(failed.error?.code).toBe('not_media');
    for (let attempts = failed.attempts + 1; attempts <= failed.maxAttempts; attempts += 1) {
      const retried = await ada('POST', `/media/${id}/retry`);
      expect([retried.status, retried.body.code]).toEqual([202, undefined]);
      await becomes(ada, id, (media) => media.state === 'failed' && media.attempts === attempts);
    }
    const refused = await ada('POST', `/media/${id}/retry`);
    expect([refused.status, refused.body.code]).toEqual([409, 'attempts_exhausted']);
    const health = await eventually('health counts the refusals', async () => {
      const { body } = await operator('GET', '/health');
      return (body.last24Hours as { refused: number }).refused > 0 && body;
    });
    // Of the uploader's making: not a failure of the pipeline.
    expect(health).not.toMatchObject({ last24Hours: { latestFailure: { mediaId: id } } });
    expect(String(health.problems)).not.toContain('not_media');
  });

  it('can be retried with another engine, which is its own from then on, and with no engine that is not there', async () => {
    const id = await uploadWhole(ada, Buffer.from('this is no video either\n'.repeat(100)));
    await becomes(ada, id, ({ state }) => state === 'failed');
    const unknown = await ada('POST', `/media/${id}/retry`, { body: { engine: 'paper' } });
    expect(unknown.body).toMatchObject({ code: 'invalid_request', errors: [{ path: 'body.engine' }] });
    expect((await ada('POST', `/media/${id}/retry`, { body: { engine: 'batch-cpu' } })).status).toBe(202);
    const table = { client: developerClients(booted.cloud).table, name: booted.cloud.outputs.Table ?? '' };
    expect(await getMedia(table, id)).toMatchObject({ engine: 'batch-cpu' });
    const { items } = JobList.parse((await ada('GET', `/media/${id}/jobs`)).body);
    expect(items[0]).toMatchObject({ engine: 'batch-cpu' });
  });

  it('can be retried, and an uploading one cannot', async () => {
    const { id } = await announce(ada, Buffer.from('x'));
    const refused = await ada('POST', `/media/${id}/retry`);
    expect([refused.status, refused.body.code]).toEqual([409, 'wrong_state']);
  });
});

describe('an upload', () => {
  it('in parts continues where it stopped, and is complete only with every part', async () => {
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
    const headers = { 'Idempotency-Key': 'parts' };
    const ask = () => ada('POST', `/uploads/${id}/parts`, { body: { partNumbers: [3, 5] }, headers });
    const [{ body }, again] = [await ask(), await ask()];
    // The URLs are made anew: an answer that contains access is not kept.
    expect([again.status, again.headers.get('idempotency-replayed')]).toEqual([200, null]);
    for (const part of body.parts as Parameters<typeof send>[0][]) await send(part);
    for (const part of state.multipart?.parts.slice(1, 2) ?? []) await send(part);
    expect((await ada('POST', `/uploads/${id}/complete`)).status).toBe(202);
    expect((await ada('POST', `/uploads/${id}/complete`)).status).toBe(202);
    expect((await becomes(ada, id, ({ state: now }) => now === 'failed')).error?.code).toBe('not_media');
  });

  it('accepts the announced type and number of bytes only', async () => {
    const { put } = await announce(ada, Buffer.from('four'));
    const send = (body: string, headers: Record<string, string>) =>
      fetch(put?.url ?? '', { method: 'PUT', headers, body });
    expect((await send('fours', put?.headers ?? {})).status).toBe(403);
    expect((await send('four', { 'Content-Type': 'text/html' })).status).toBe(403);
    expect((await send('four', { 'Content-Type': 'video/mp4' })).status).toBe(403);
    expect((await send('four', put?.headers ?? {})).status).toBe(200);
  });

  it('by one PUT is written once: its URL does not replace the object', async () => {
    const { put } = await announce(ada, Buffer.from('four'));
    const send = (body: string) => fetch(put?.url ?? '', { method: 'PUT', headers: put?.headers ?? {}, body });
    expect([(await send('four')).status, (await send('evil')).status, (await send('four')).status]).toEqual([
      200, 412, 412,
    ]);
    const { 'If-None-Match': _, ...unconditional } = put?.headers ?? {};
    const replacing = await fetch(put?.url ?? '', { method: 'PUT', headers: unconditional, body: 'evil' });
    expect(replacing.status).toBe(403);
  });

  it('that is cancelled or deleted is not restored by its presigned URL', async () => {
    const uploads = await Promise.all([announce(ada, Buffer.from('four')), announce(ada, Buffer.from('four'))]);
    const [one, other] = uploads.map(({ id }) => id);
    expect((await ada('DELETE', `/uploads/${one}`)).status).toBe(204);
    expect((await ada('DELETE', `/media/${other}`)).status).toBe(202);
    for (const { put } of uploads) {
      expect((await fetch(put?.url ?? '', { method: 'PUT', headers: put?.headers ?? {}, body: 'four' })).status).toBe(
        200,
      );
    }
    const { s3 } = developerClients(booted.cloud);
    const Prefix = `drop/ada/default/`;
    const keys = uploads.map(({ put }) => decodeURIComponent(new URL(put?.url ?? '').pathname).split(`/${Prefix}`)[1]);
    await sweepUntil(booted.cloud, 'sweep has removed what came', async () => {
      const { Versions = [] } = await s3.send(
        new ListObjectVersionsCommand({ Bucket: booted.cloud.outputs.UploadsBucket, Prefix }),
      );
      return !Versions.some(({ Key = '' }) => keys.includes(Key.slice(Prefix.length)));
    });
    for (const id of [one, other]) expect((await ada('GET', `/media/${id}`)).status).toBe(404);
  });

  it('is refused by size and by type', async () => {
    const body = { fileName: 'a.mp4', size: 50 * 2 ** 30 + 1, contentType: 'video/mp4' };
    expect((await ada('POST', '/uploads', { body })).body.code).toBe('too_large');
    const script = { fileName: 'a.sh', size: 10, contentType: 'text/x-shellscript' };
    expect((await ada('POST', '/uploads', { body: script })).body.code).toBe('type_not_allowed');
  });

  it('is encoded by the engine that it names, and an unknown engine is refused', async () => {
    const body = { fileName: 'a.mp4', size: 10, contentType: 'video/mp4' };
    const unknown = await ada('POST', '/uploads', { body: { ...body, engine: 'paper' } });
    expect(unknown.body).toMatchObject({ code: 'invalid_request', errors: [{ path: 'body.engine' }] });
    const { id } = Upload.parse((await ada('POST', '/uploads', { body: { ...body, engine: 'batch-cpu' } })).body);
    const table = { client: developerClients(booted.cloud).table, name: booted.cloud.outputs.Table ?? '' };
    expect(await getMedia(table, id)).toMatchObject({ engine: 'batch-cpu' });
  });

  it('can be cancelled once', async () => {
    const { id } = await announce(ada, Buffer.alloc(65 * 1024 * 1024));
    expect((await ada('DELETE', `/uploads/${id}`)).status).toBe(204);
    expect((await ada('GET', `/uploads/${id}`)).status).toBe(404);
    expect((await ada('GET', `/media/${id}`)).status).toBe(404);
  });
});

describe('a missing collection', () => {
  const body = { fileName: 'a.mp4', size: 4, contentType: 'video/mp4' };
  const refusal = { code: 'invalid_request', errors: [{ path: 'body.collectionId' }] };

  it('accepts no upload, unless it is the default one', async () => {
    expect((await ada('POST', '/uploads', { body: { ...body, collectionId: 'tlaks' } })).body).toMatchObject(refusal);
    expect((await ada('POST', '/uploads', { body: { ...body, collectionId: 'default' } })).status).toBe(201);
  });

  it('accepts no media item from another collection', async () => {
    const { id } = await announce(ada, Buffer.from('four'));
    const moved = await ada('PATCH', `/media/${id}`, { body: { collectionId: 'secrett' } });
    expect(moved.body).toMatchObject(refusal);
    await ada('POST', '/collections', { body: { id: 'target' } });
    const there = await ada('PATCH', `/media/${id}`, { body: { collectionId: 'target' } });
    expect(there.body).toMatchObject({ collectionId: 'target' });
  });
});

it('private playback is refused where no key is configured for it', async () => {
  const refused = await ada('POST', '/collections', { body: { id: 'secret', playback: 'private' } });
  expect([refused.status, refused.body.code]).toEqual([400, 'invalid_request']);
});

describe('an Idempotency-Key', () => {
  it('repeats the first answer, and refuses another body', async () => {
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

  it("repeats a webhook's secret to the caller who created it, and not to the same caller without the operator's scope", async () => {
    const mallory = await apiAs(booted.cloud, 'mallory', OPERATOR);
    const lesser = await apiAs(booted.cloud, 'mallory');
    const keyed = {
      body: { url: 'https://hooks.example.com/', creatorId: 'victor' },
      headers: { 'Idempotency-Key': 'hook' },
    };
    const first = await mallory('POST', '/webhooks', keyed);
    expect((await mallory('POST', '/webhooks', keyed)).body.secret).toBe(first.body.secret);
    expect((await lesser('POST', '/webhooks', keyed)).body).toMatchObject({ code: 'key_reused' });
  });

  it('repeats no answer about a deleted collection', async () => {
    await ada('POST', '/collections', { body: { id: 'brief' } });
    const flag = () => ada('POST', '/collections/brief/retranscode', { headers: { 'Idempotency-Key': 'flag' } });
    expect([(await flag()).status, (await flag()).status]).toEqual([202, 202]);
    expect((await ada('DELETE', '/collections/brief')).status).toBe(204);
    expect((await flag()).status).toBe(404);
  });

  it('carries out one of several simultaneous requests', async () => {
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
  it('has pages that leave nothing out, for creators and for operators', async () => {
    const cleo = await apiAs(booted.cloud, 'cleo');
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push((await announce(cleo, Buffer.from('x'))).id);
    // Lists are read from an index, which lags behind the table.
    await eventually('all are listed', async () => {
      const { body } = await cleo('GET', '/media');
      return (body.items as MediaView[]).length === 5;
    });
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
  });

  it('has the newest first across creators for operators, whichever page an item is on', async () => {
    const all: string[] = [];
    const asked = new Date(booted.cloud.clock.now()).toISOString();
    for (const name of ['zoe', 'abe', 'zoe', 'max', 'abe']) {
      all.push((await announce(await apiAs(booted.cloud, name), Buffer.from('x'))).id);
    }
    const since = (limit: number, cursor = '') =>
      operator('GET', `/media?from=${asked}&state=uploading&limit=${limit}${cursor && `&cursor=${cursor}`}`);
    // Creators are counted, and lists are read from an index, after the media item was announced.
    await eventually('all are listed', async () => {
      return ((await since(100)).body.items as MediaView[]).length === all.length;
    });
    const pages: string[][] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const { body } = await since(2, cursor);
      pages.push((body.items as MediaView[]).map((media) => media.id));
      cursor = body.next as string | null;
    }
    expect(pages.flat()).toEqual(all.reverse());
    expect(pages.slice(0, 2).map((page) => page.length)).toEqual([2, 2]);
  });

  it('has cursors for its own filters only', async () => {
    const cleo = await apiAs(booted.cloud, 'cleo');
    await Promise.all([0, 1, 2].map(() => announce(cleo, Buffer.from('x'))));
    await eventually(
      'there is more than one page',
      async () => (await cleo('GET', '/media?limit=2')).body.next !== null,
    );
    const first = await cleo('GET', '/media?limit=2');
    const elsewhere = await cleo('GET', `/media?limit=2&state=ready&cursor=${first.body.next}`);
    expect([elsewhere.status, elsewhere.body.code]).toEqual([400, 'invalid_cursor']);
  });
});
