import { Webhook } from 'standardwebhooks';
import { describe, expect, it, vi } from 'vitest';
import { apply, getRow } from '../../aws/table.ts';
import { randomId } from '../../core/api/random-id.ts';
import type { DeliveryMessage } from '../../core/contracts/events.ts';
import { webhookKeys } from '../../core/contracts/table/keys.ts';
import { BreakerRow, type EndpointRow } from '../../core/contracts/table/webhooks.ts';
import { newSecret, rotate } from '../../core/webhooks/secrets.ts';
import { deliver } from '../../functions/deliver-webhook/deliver.ts';
import { takePlace } from '../../functions/deliver-webhook/places.ts';
import { fanOut } from '../../functions/fan-out-change/fan-out.ts';
import { sendOverdueDeliveries } from '../../functions/sweep/overdue-deliveries.ts';
import type { SweepServices } from '../../functions/sweep/services.ts';
import { startReceiver } from '../support/api.ts';
import { changeOf, HOUR, SECOND, START, startDeliveries } from '../support/deliveries.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, queued, addEndpoint, at, rowOf, started } = await startDeliveries();

describe('fanOut', () => {
  it('makes one delivery for each endpoint that subscribes to the event, however often the change arrives', async () => {
    const all = await addEndpoint('http://127.0.0.1:1/');
    const { creatorId } = all;
    const failures = await addEndpoint('http://127.0.0.1:1/', { creatorId, events: ['media.failed'] });
    await addEndpoint('http://127.0.0.1:1/', { creatorId, enabled: false });
    const change = changeOf(creatorId);
    await fanOut(at(START), change);
    expect(queued.map(({ body }) => body.endpointId)).toEqual([all.endpointId]);
    // Again, as after a crash before the message was sent.
    await fanOut(at(START), change);
    expect(queued.map(({ body }) => body.deliveryId)).toEqual(Array(2).fill(queued[0]?.body.deliveryId));
    await fanOut(at(START), { ...change, to: 'failed', seq: 4 });
    expect(
      queued
        .slice(2)
        .map(({ body }) => body.endpointId)
        .sort(),
    ).toEqual([all.endpointId, failures.endpointId].sort());
  });
});

describe('a delivery', () => {
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

  it('is repeated with growing delays for three days, always with the same id and body, and then given up', async () => {
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

  it('waits for its time when the message arrives early, by a delay that SQS supports', async () => {
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

describe('an endpoint that fails', () => {
  const SILENT = 'http://127.0.0.1:9/';
  const breakerOf = ({ endpointId }: EndpointRow) =>
    getRow(services.table, webhookKeys.breaker(endpointId), BreakerRow);
  const many = async (endpoint: EndpointRow, count: number, now = START) => {
    const messages: DeliveryMessage[] = [];
    for (let i = 0; i < count; i++) messages.push(await started(endpoint, now));
    return messages;
  };

  it('gets no connection for a while after 5 failures in a row, then one delivery, then all', async () => {
    await using receiver = await startReceiver([500, 500, 500, 500, 500, 200]);
    const endpoint = await addEndpoint(receiver.url);
    const messages = await many(endpoint, 8);
    const waiting = messages.slice(5);
    for (const message of messages.slice(0, 5)) await deliver(services, message, START);
    const { failures, notBefore = '' } = (await breakerOf(endpoint)) ?? {};
    expect(failures).toBe(5);
    expect(Date.parse(notBefore) - START).toBeGreaterThanOrEqual(30 * SECOND);
    for (const message of waiting) await deliver(services, message, START + SECOND);
    expect(receiver.received).toHaveLength(5);
    for (const message of waiting) {
      const row = await rowOf(message);
      expect(row).toMatchObject({ status: 'pending', attempts: 0, log: [] });
      expect(Date.parse(row?.nextAttemptAt ?? '')).toBeGreaterThanOrEqual(Date.parse(notBefore));
    }
    const later = Date.parse(notBefore) + 11 * SECOND;
    for (const message of waiting) await deliver(services, message, later);
    expect((await Promise.all(waiting.map(rowOf))).map((row) => row?.status)).toEqual(Array(3).fill('delivered'));
    expect(await breakerOf(endpoint)).toBeNull();
  });

  it('gets one attempt at a time while it is failing', async () => {
    let release = () => {};
    const held = new Promise<void>((done) => {
      release = done;
    });
    await using receiver = await startReceiver([200], held);
    const endpoint = await addEndpoint(receiver.url);
    const key = webhookKeys.breaker(endpoint.endpointId);
    const row: BreakerRow = { type: 'breaker', failures: 9, expiresAt: 2_000_000_000 };
    await apply(services.table, [{ op: 'put', key, row }]);
    const [first, second] = await many(endpoint, 2);
    if (!first || !second) throw new Error('no deliveries');
    const probe = deliver(services, first, START);
    await vi.waitFor(() => expect(receiver.received).toHaveLength(1));
    await deliver(services, second, START);
    expect(receiver.received).toHaveLength(1);
    release();
    await probe;
    expect(await rowOf(first)).toMatchObject({ status: 'delivered', attempts: 1 });
    expect(await rowOf(second)).toMatchObject({ status: 'pending', attempts: 0 });
  });

  it('does not delay the end of a delivery beyond three days', async () => {
    const endpoint = await addEndpoint(SILENT);
    const message = await started(endpoint);
    const notBefore = new Date(START + 100 * HOUR).toISOString();
    const row: BreakerRow = { type: 'breaker', failures: 50, notBefore, expiresAt: 2_000_000_000 };
    await apply(services.table, [{ op: 'put', key: webhookKeys.breaker(endpoint.endpointId), row }]);
    await deliver(services, message, START);
    expect((await rowOf(message))?.nextAttemptAt).toBe(new Date(START + 72 * HOUR).toISOString());
    await expect(deliver(services, message, START + 72 * HOUR)).rejects.toThrow('given up');
    expect(await rowOf(message)).toMatchObject({
      status: 'failed',
      attempts: 0,
      todo: `failed-${endpoint.endpointId}`,
    });
  });
});

describe('the deliveries of one creator', () => {
  it('are attempted 4 at once where that is the limit, 2 of them to one endpoint, and the others wait for their turn', async () => {
    let release = () => {};
    const held = new Promise<void>((done) => {
      release = done;
    });
    await using slow = await startReceiver([200], held);
    await using other = await startReceiver([200]);
    const endpoint = await addEndpoint(slow.url);
    const messages: DeliveryMessage[] = [];
    for (let i = 0; i < 5; i++) messages.push(await started(endpoint));
    const tries = messages.slice(0, 2).map((message) => deliver(services, message, START));
    await vi.waitFor(() => expect(slow.received).toHaveLength(2));
    for (const message of messages.slice(2)) await deliver(services, message, START);
    expect(slow.received).toHaveLength(2);
    expect(queued.map(({ body }) => body.turns)).toEqual([1, 1, 1]);
    expect(await rowOf(messages[2] as DeliveryMessage)).toMatchObject({ status: 'pending', attempts: 0 });
    // Another endpoint of the same creator is not delayed.
    const quick = await addEndpoint(other.url, { creatorId: endpoint.creatorId, events: ['media.failed'] });
    await fanOut(at(START), changeOf(endpoint.creatorId, { to: 'failed' }));
    const message = queued.map(({ body }) => body).find(({ endpointId }) => endpointId === quick.endpointId);
    await deliver(services, message as DeliveryMessage, START);
    expect(other.received).toHaveLength(1);
    release();
    await Promise.all(tries);
    await deliver(services, messages[2] as DeliveryMessage, START);
    expect(slow.received).toHaveLength(3);
  });

  it('take over the places of a stopped function after 15 s', async () => {
    const creatorId = `c${randomId(8)}`;
    const asker = { creatorId, endpointId: `wh_${randomId(16)}` };
    const other = { creatorId, endpointId: `wh_${randomId(16)}` };
    const taken = [];
    for (const who of [asker, other, other]) taken.push(await takePlace(services.table, who, 2, START));
    expect(taken.map((place) => place?.until)).toEqual([
      new Date(START + 15 * SECOND).toISOString(),
      new Date(START + 15 * SECOND).toISOString(),
      undefined,
    ]);
    expect(await takePlace(services.table, other, 2, START + 15 * SECOND)).toMatchObject({
      until: new Date(START + 30 * SECOND).toISOString(),
    });
  });
});

describe('a delivery whose message was lost', () => {
  /** One run of sweep's part. @returns how many messages it sent. */
  async function sweepAt(ms: number): Promise<number> {
    let sent = 0;
    const run = { now: new Date(ms).toISOString(), timeIsUp: () => false, report: () => void sent++ };
    await sendOverdueDeliveries({
      ...services,
      ...run,
      webhookQueueUrl: services.queueUrl,
    } as unknown as SweepServices);
    return sent;
  }

  it('gets a new one from sweep an hour after its time, and none right after it', async () => {
    await using receiver = await startReceiver();
    const message = await started(await addEndpoint(receiver.url));
    await sweepAt(START + HOUR - 1);
    expect(queued.filter(({ body }) => body.deliveryId === message.deliveryId)).toEqual([]);
    expect(await sweepAt(START + HOUR)).toBeGreaterThan(0);
    const [found] = queued.filter(({ body }) => body.deliveryId === message.deliveryId);
    expect(found?.body).toEqual(message);
    queued.length = 0;
    await sweepAt(START + HOUR + SECOND);
    expect(queued.filter(({ body }) => body.deliveryId === message.deliveryId)).toEqual([]);
    await deliver(services, message, START + HOUR + SECOND);
    expect(await rowOf(message)).toMatchObject({ status: 'delivered' });
    expect(await rowOf(message)).not.toHaveProperty('todo');
  });
});
