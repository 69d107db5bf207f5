import { SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeEach } from 'vitest';
import { apply, getRow } from '../../aws/table.ts';
import { randomId } from '../../core/api/random-id.ts';
import type { DeliveryMessage, MediaStateChanged } from '../../core/contracts/events.ts';
import { webhookKeys } from '../../core/contracts/table/keys.ts';
import { DeliveryRow, type EndpointRow } from '../../core/contracts/table/webhooks.ts';
import { newSecret } from '../../core/webhooks/secrets.ts';
import { fanOut } from '../../functions/fan-out-change/fan-out.ts';
import { startServices } from './services.ts';

export const START = Date.parse('2026-11-21T12:00:00.000Z');
export const SECOND = 1000;
export const HOUR = 3600 * SECOND;

/** A change to `ready`, unless `more` says otherwise, of a media item that no other change is of. */
export function changeOf(
  creatorId: string,
  more: Partial<MediaStateChanged['detail']> = {},
): MediaStateChanged['detail'] {
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

/**
 * For a file of tests: what the steps of fan-out-change and deliver-webhook take, with the local table. A test calls them at times
 * that it chooses. `queued` has the messages that they sent since the test began.
 */
export async function startDeliveries() {
  const stand = await startServices();
  const queued: { body: DeliveryMessage; delay: number }[] = [];
  afterAll(() => stand[Symbol.asyncDispose]());
  beforeEach(() => {
    queued.length = 0;
  });
  const sqs = new SQSClient({});
  sqs.send = (async (command: { input: { MessageBody: string; DelaySeconds?: number } }) => {
    queued.push({ body: JSON.parse(command.input.MessageBody), delay: command.input.DelaySeconds ?? 0 });
    return {};
  }) as typeof sqs.send;
  const queueUrl = 'https://sqs.example/webhooks';
  const services = { table: stand.table, sqs, queueUrl, rules: { allowLoopback: true }, atOnce: 4 };

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
      state: 'active',
      createdAt: new Date(START).toISOString(),
      updatedAt: new Date(START).toISOString(),
      ...more,
    };
    await apply(services.table, [{ op: 'put', key: webhookKeys.endpoint(row.creatorId, row.endpointId), row }]);
    return row;
  }

  const at = (now: number) => ({ ...services, now, endpoints: new Map() });

  const rowOf = ({ endpointId, deliveryId }: DeliveryMessage) =>
    getRow(services.table, webhookKeys.delivery(endpointId, deliveryId), DeliveryRow);

  /** The first message of a change to one endpoint. */
  async function started(endpoint: EndpointRow, now = START): Promise<DeliveryMessage> {
    await fanOut(at(now), changeOf(endpoint.creatorId));
    const message = queued.pop()?.body;
    if (!message) throw new Error('nothing was queued');
    return message;
  }

  return { services, queued, addEndpoint, at, rowOf, started };
}
