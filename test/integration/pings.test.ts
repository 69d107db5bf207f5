import { Webhook } from 'standardwebhooks';
import { describe, expect, it, vi } from 'vitest';
import { apply, getRow } from '../../aws/table.ts';
import type { PingMessage } from '../../core/contracts/events.ts';
import { webhookKeys } from '../../core/contracts/table/keys.ts';
import { EndpointRow } from '../../core/contracts/table/webhooks.ts';
import { deliver } from '../../functions/deliver-webhook/deliver.ts';
import { ping } from '../../functions/deliver-webhook/ping.ts';
import { fanOut } from '../../functions/fan-out-change/fan-out.ts';
import { startReceiver } from '../support/api.ts';
import { changeOf, SECOND, START, startDeliveries } from '../support/deliveries.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

const { services, queued, addEndpoint, at, rowOf, started } = await startDeliveries();

describe('an endpoint that has not answered a ping', () => {
  const unproved = (url: string) => addEndpoint(url, { state: 'unverified', pingId: 'ping_a', pingedAt: NOW });
  const NOW = new Date(START).toISOString();
  const messageTo = ({ endpointId, creatorId }: EndpointRow, tries = 0): PingMessage => {
    return { pingId: 'ping_a', endpointId, creatorId, dueAt: NOW, tries };
  };
  const endpointNow = ({ creatorId, endpointId }: EndpointRow) =>
    getRow(services.table, webhookKeys.endpoint(creatorId, endpointId), EndpointRow);

  it('gets no event', async () => {
    const endpoint = await unproved('http://127.0.0.1:9/');
    await fanOut(at(START), changeOf(endpoint.creatorId));
    expect(queued).toEqual([]);
  });

  it('is active once it answers 2xx to a signed ping, which contains no media item', async () => {
    await using receiver = await startReceiver();
    const endpoint = await unproved(receiver.url);
    await ping(services, messageTo(endpoint), Date.now());
    const [got] = receiver.pings;
    const verified = new Webhook(endpoint.secrets[0]?.secret ?? '').verify(
      got?.body ?? '',
      (got?.headers ?? {}) as Record<string, string>,
    );
    const { endpointId, creatorId } = endpoint;
    expect(verified).toEqual({ type: 'webhook.ping', timestamp: expect.any(String), data: { endpointId, creatorId } });
    expect(await endpointNow(endpoint)).toMatchObject({ state: 'active', ping: { status: 204 } });
    // The message comes once more, as SQS may.
    await ping(services, messageTo(endpoint), Date.now());
    expect(receiver.pings).toHaveLength(1);
  });

  it('is pinged five times and then no more', async () => {
    const endpoint = await unproved('http://127.0.0.1:9/');
    let message: PingMessage | undefined = messageTo(endpoint);
    const waits: number[] = [];
    for (let now = START; message; now = Date.parse(message.dueAt)) {
      queued.length = 0;
      await ping(services, message, now);
      message = queued[0]?.body as unknown as PingMessage | undefined;
      if (!message) break;
      waits.push(Math.floor((Date.parse(message.dueAt) - now) / SECOND));
    }
    expect(waits).toEqual([5, 20, 80, 320]);
    expect(await endpointNow(endpoint)).toMatchObject({
      state: 'unverified',
      ping: { error: expect.stringContaining('ECONNREFUSED') },
    });
  });

  it('is not made active by the answer of the URL that it had before', async () => {
    await using receiver = await startReceiver();
    const endpoint = await unproved(receiver.url);
    const key = webhookKeys.endpoint(endpoint.creatorId, endpoint.endpointId);
    await apply(services.table, [{ op: 'update', key, expect: {}, set: { pingId: 'ping_b' } }]);
    await ping(services, messageTo(endpoint), START);
    expect(receiver.pings).toHaveLength(0);
    expect(await endpointNow(endpoint)).toMatchObject({ state: 'unverified' });
  });

  it('keeps waiting deliveries, without an attempt, until it does', async () => {
    await using receiver = await startReceiver();
    const endpoint = await addEndpoint(receiver.url);
    const message = await started(endpoint);
    const key = webhookKeys.endpoint(endpoint.creatorId, endpoint.endpointId);
    await apply(services.table, [{ op: 'update', key, expect: {}, set: { state: 'unverified', pingId: 'ping_a' } }]);
    await deliver(services, message, START);
    expect(receiver.received).toHaveLength(0);
    expect(await rowOf(message)).toMatchObject({ status: 'pending', attempts: 0 });
    await ping(services, messageTo(endpoint), START);
    await deliver(services, message, START + 6 * 60 * SECOND);
    expect(await rowOf(message)).toMatchObject({ status: 'delivered', attempts: 1 });
  });
});
