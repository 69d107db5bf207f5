import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { SQSClient } from '@aws-sdk/client-sqs';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { apply, getRow } from '../../aws/table.ts';
import { randomId } from '../../core/api/random-id.ts';
import { apiKeys } from '../../core/contracts/api.ts';
import type { MediaStateChanged } from '../../core/contracts/events.ts';
import { type DeliveryMessage, DeliveryRow, type EndpointRow, webhookKeys } from '../../core/contracts/webhooks.ts';
import { newSecret, rotate } from '../../core/webhooks/secrets.ts';
import { countChange } from '../../functions/deliver-webhook/count-change.ts';
import { deliver } from '../../functions/deliver-webhook/deliver.ts';
import { fanOut } from '../../functions/deliver-webhook/fan-out.ts';
import { post } from '../../functions/deliver-webhook/post.ts';
import { developerClients } from '../../scripts/demo/clients.ts';
import { startReceiver } from '../helpers/api.ts';
import { testCloud } from '../helpers/cloud.ts';

/** The function's own steps at times that the test chooses, against the local table; what it would queue is caught. */
let booted: Awaited<ReturnType<typeof testCloud>>;
let services: Parameters<typeof deliver>[0];
let queued: { body: DeliveryMessage; delay: number }[];

beforeAll(async () => {
  booted = await testCloud();
});
afterAll(() => booted[Symbol.asyncDispose]());
beforeEach(() => {
  queued = [];
  const sqs = new SQSClient({});
  sqs.send = (async (command: { input: { MessageBody: string; DelaySeconds?: number } }) => {
    queued.push({ body: JSON.parse(command.input.MessageBody), delay: command.input.DelaySeconds ?? 0 });
    return {};
  }) as typeof sqs.send;
  services = {
    table: { client: developerClients(booted.cloud).table, name: booted.cloud.outputs.Table ?? '' },
    sqs,
    queueUrl: 'https://sqs.example/webhooks',
    rules: { allowLoopback: true },
  };
});

const START = Date.parse('2026-11-21T12:00:00.000Z');
const SECOND = 1000;
const HOUR = 3600 * SECOND;

async function addEndpoint(url: string, more: Partial<EndpointRow> = {}): Promise<EndpointRow> {
  const row: EndpointRow = {
    type: 'webhook',
    endpointId: `wh_${randomId(16)}`,
    creatorId: `c${randomId(8)}`,
    url,
    events: [],
    description: '',
    enabled: true,
    secrets: [{ secret: newSecret() }],
    createdAt: new Date(START).toISOString(),
    updatedAt: new Date(START).toISOString(),
    ...more,
  };
  await apply(services.table, [{ op: 'put', key: webhookKeys.endpoint(row.creatorId, row.endpointId), row }]);
  return row;
}

function changeOf(creatorId: string, more: Partial<MediaStateChanged['detail']> = {}): MediaStateChanged['detail'] {
  return {
    mediaId: randomId(26),
    creatorId,
    collectionId: 'default',
    title: 'Clip',
    from: 'transcoding',
    to: 'ready',
    seq: 3,
    at: new Date(START).toISOString(),
    ...more,
  };
}

const rowOf = ({ endpointId, deliveryId }: DeliveryMessage) =>
  getRow(services.table, webhookKeys.delivery(endpointId, deliveryId), DeliveryRow);

/** The first message of a change to one endpoint. */
async function started(endpoint: EndpointRow, now = START): Promise<DeliveryMessage> {
  await fanOut(services, changeOf(endpoint.creatorId), now);
  const message = queued.pop()?.body;
  if (!message) throw new Error('nothing was queued');
  return message;
}

describe('fanOut', () => {
  it('makes one delivery for each endpoint that wants the event, once however often the change comes', async () => {
    const all = await addEndpoint('http://127.0.0.1:1/');
    const { creatorId } = all;
    const failures = await addEndpoint('http://127.0.0.1:1/', { creatorId, events: ['media.failed'] });
    await addEndpoint('http://127.0.0.1:1/', { creatorId, enabled: false });
    const change = changeOf(creatorId);
    await fanOut(services, change, START);
    expect(queued.map(({ body }) => body.endpointId)).toEqual([all.endpointId]);
    // Again, as after a crash before the message was sent.
    await fanOut(services, change, START);
    expect(queued.map(({ body }) => body.deliveryId)).toEqual(Array(2).fill(queued[0]?.body.deliveryId));
    await fanOut(services, { ...change, to: 'failed', seq: 4 }, START);
    expect(
      queued
        .slice(2)
        .map(({ body }) => body.endpointId)
        .sort(),
    ).toEqual([all.endpointId, failures.endpointId].sort());
  });
});

describe('deliver', () => {
  it('is signed with both secrets after a rotation', async () => {
    await using receiver = await startReceiver();
    const [old, fresh] = [newSecret(), newSecret()];
    const secrets = rotate([{ secret: old }], fresh, Date.now());
    const endpoint = await addEndpoint(receiver.url, { secrets });
    const message = await started(endpoint, Date.now());
    await deliver(services, message, Date.now());
    const [got] = receiver.received;
    const headers = (got?.headers ?? {}) as Record<string, string>;
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2);
    for (const secret of [old, fresh]) {
      expect(new Webhook(secret).verify(got?.body ?? '', headers)).toMatchObject({ type: 'media.ready' });
    }
    expect(() => new Webhook(newSecret()).verify(got?.body ?? '', headers)).toThrow();
    expect(await rowOf(message)).toMatchObject({ status: 'delivered', attempts: 1, log: [{ status: 200 }] });
    // The message comes once more, as SQS may.
    await deliver(services, message, Date.now());
    expect(receiver.received).toHaveLength(1);
  });

  it('is tried again with growing waits for three days, always with the same id and body, then given up', async () => {
    await using receiver = await startReceiver([500]);
    const message = await started(await addEndpoint(receiver.url));
    vi.spyOn(Math, 'random').mockReturnValue(0);
    let now = START;
    const tries: number[] = [];
    for (;;) {
      const before = receiver.received.length;
      const given = await deliver(services, message, now).then(
        () => false,
        () => true,
      );
      if (receiver.received.length > before) tries.push((now - START) / SECOND);
      if (given) break;
      const row = await rowOf(message);
      now = Date.parse(row?.nextAttemptAt ?? '');
      expect(queued.at(-1)?.body.dueAt).toBe(row?.nextAttemptAt);
      expect(queued.at(-1)?.delay).toBeLessThanOrEqual(900);
    }
    vi.restoreAllMocks();
    expect(tries).toHaveLength(14);
    expect(tries.slice(0, 3).map(Math.floor)).toEqual([0, 5, 25]);
    expect(tries.at(-1)).toBe(72 * 3600);
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
    expect(await rowOf(message)).toMatchObject({ status: 'failed', attempts: 14, log: { length: 10 } });
    // From here on the message fails without a try, until its queue puts it among the dead letters.
    await expect(deliver(services, message, now + HOUR)).rejects.toThrow('given up');
    expect(receiver.received).toHaveLength(14);
  });

  it('waits for its time when the message comes early, in steps that SQS can take', async () => {
    await using receiver = await startReceiver([503, 200]);
    const message = await started(await addEndpoint(receiver.url));
    await deliver(services, message, START);
    const dueAt = Date.parse((await rowOf(message))?.nextAttemptAt ?? '');
    await deliver(services, message, START + SECOND);
    expect(receiver.received).toHaveLength(1);
    expect(queued.at(-1)).toMatchObject({
      body: { dueAt: new Date(dueAt).toISOString() },
      delay: Math.ceil((dueAt - START - SECOND) / SECOND),
    });
    await deliver(services, message, dueAt);
    expect(await rowOf(message)).toMatchObject({
      status: 'delivered',
      attempts: 2,
      log: [{ status: 503 }, { status: 200 }],
    });
  });

  it('ends when its endpoint is disabled', async () => {
    const endpoint = await addEndpoint('http://127.0.0.1:1/');
    const message = await started(endpoint);
    const key = webhookKeys.endpoint(endpoint.creatorId, endpoint.endpointId);
    await apply(services.table, [{ op: 'update', key, expect: {}, set: { enabled: false } }]);
    await deliver(services, message, START);
    expect(await rowOf(message)).toMatchObject({
      status: 'failed',
      attempts: 0,
      log: [{ error: 'The endpoint is disabled.' }],
    });
  });
});

describe('post', () => {
  const STRICT = { allowLoopback: false };
  const LOCAL = { allowLoopback: true };

  it('connects to nothing that is not public, by address or by name', async () => {
    await using receiver = await startReceiver();
    const { port } = new URL(receiver.url);
    expect(await post(receiver.url, {}, '', STRICT)).toEqual({ error: 'It must be an https URL.' });
    expect(await post(`https://127.0.0.1:${port}/`, {}, '', STRICT)).toEqual({ error: 'It must be a public host.' });
    // A public-looking name that resolves to this machine.
    const named = await post(`https://${hostname()}:${port}/`, {}, '', STRICT);
    expect(named.status).toBeUndefined();
    expect(named.error).toMatch(/no public address|ENOTFOUND|EAI_AGAIN/);
    expect(receiver.received).toHaveLength(0);
  });

  async function serve(answer: Parameters<typeof createServer>[1]) {
    const server = createServer(answer ?? (() => {}));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    return {
      url,
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        await new Promise((done) => server.close(done));
      },
    };
  }

  it('follows no redirect', async () => {
    await using target = await startReceiver();
    await using server = await serve((_, response) => response.writeHead(307, { Location: target.url }).end());
    expect(await post(server.url, {}, 'x', LOCAL)).toEqual({ status: 307, error: 'Redirects are not followed.' });
    expect(target.received).toHaveLength(0);
  });

  it('reads at most 64 KB of an answer', async () => {
    await using server = await serve((_, response) => {
      response.writeHead(200);
      const more = () => {
        while (response.write(Buffer.alloc(16_384)));
      };
      response.on('drain', more);
      more();
    });
    expect(await post(server.url, {}, 'x', LOCAL)).toEqual({ status: 200, error: 'The answer has more than 64 KB.' });
  });

  it('waits only so long for an answer', async () => {
    await using server = await serve(() => {});
    expect(await post(server.url, {}, 'x', LOCAL, 200)).toEqual({ error: 'No answer in 0.2 s.' });
  });

  it('says why nobody answered', async () => {
    const { error } = await post('http://127.0.0.1:9/', {}, 'x', LOCAL);
    expect(error).toContain('ECONNREFUSED');
  });
});

describe('countChange', () => {
  const counts = (creatorId: string) =>
    getRow(services.table, apiKeys.counts(creatorId), z.record(z.string(), z.unknown()));

  it('counts a change once, whatever its order and however often it comes', async () => {
    const creatorId = `c${randomId(8)}`;
    const mediaId = randomId(26);
    const at = (seq: number, to: MediaStateChanged['detail']['to']) =>
      countChange(services.table, changeOf(creatorId, { mediaId, seq, to }));
    await at(1, 'uploaded');
    await at(3, 'ready');
    await at(2, 'transcoding');
    await at(3, 'ready');
    expect(await counts(creatorId)).toMatchObject({ state_uploaded: 0, state_ready: 1 });
    expect(await counts(creatorId)).not.toHaveProperty('state_transcoding');
    await at(4, null);
    await at(3, 'ready');
    expect(await counts(creatorId)).toMatchObject({ state_ready: 0 });
  });

  it('counts each of many media of a creator at once', async () => {
    const creatorId = `c${randomId(8)}`;
    await Promise.all(Array.from({ length: 20 }, () => countChange(services.table, changeOf(creatorId))));
    expect(await counts(creatorId)).toMatchObject({ state_ready: 20 });
  });

  it('ends with the newest of several changes of a media that come at once', async () => {
    const creatorId = `c${randomId(8)}`;
    const mediaId = randomId(26);
    const states = ['uploaded', 'transcoding', 'ready', 'retranscoding', 'failed'] as const;
    await Promise.all(
      states.map((to, i) => countChange(services.table, changeOf(creatorId, { mediaId, seq: i + 1, to }))),
    );
    const { pk: _, sk: __, ...left } = (await counts(creatorId)) ?? {};
    expect(Object.entries(left).filter(([, amount]) => amount !== 0)).toEqual([['state_failed', 1]]);
  });
});
