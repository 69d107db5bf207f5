import { queryAll } from '../../aws/pages.ts';
import { send } from '../../aws/queue.ts';
import { apply, getRow } from '../../aws/table.ts';
import type { MediaStateChanged } from '../../core/contracts/events.ts';
import {
  type DeliveryMessage,
  DeliveryRow,
  EndpointRow,
  type WebhookEvent,
  webhookKeys,
} from '../../core/contracts/webhooks.ts';
import { GIVE_UP_AFTER_MS } from '../../core/webhooks/backoff.ts';
import { deliveryIdOf, eventIdOf, eventOf, payloadOf, wants } from '../../core/webhooks/events.ts';
import type { Services } from './services.ts';

const LOG_DAYS = 30;

type Change = MediaStateChanged['detail'];

/** One delivery for each endpoint that wants the event. The same change again finds its deliveries made. */
export async function fanOut(services: Services, change: Change, now: number): Promise<void> {
  const event = eventOf(change);
  if (event === null) return;
  const endpoints = await queryAll(services.table, EndpointRow, {
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
    ExpressionAttributeValues: { ':pk': webhookKeys.endpoint(change.creatorId, '').pk, ':sk': 'WEBHOOK#' },
    ConsistentRead: true,
  });
  await Promise.all(
    endpoints
      .filter((endpoint) => wants(endpoint, event))
      .map((endpoint) => start(services, endpoint, event, change, now)),
  );
}

async function start(
  { table, sqs, queueUrl }: Services,
  { endpointId, creatorId }: EndpointRow,
  event: WebhookEvent,
  change: Change,
  now: number,
): Promise<void> {
  const deliveryId = deliveryIdOf(change);
  const key = webhookKeys.delivery(endpointId, deliveryId);
  const dueAt = new Date(now).toISOString();
  const row: DeliveryRow = {
    type: 'delivery',
    deliveryId,
    endpointId,
    creatorId,
    eventId: eventIdOf(change),
    event,
    mediaId: change.mediaId,
    seq: change.seq,
    payload: JSON.stringify(payloadOf(event, change)),
    status: 'pending',
    attempts: 0,
    log: [],
    deadline: new Date(now + GIVE_UP_AFTER_MS).toISOString(),
    nextAttemptAt: dueAt,
    changedAt: change.at,
    expiresAt: Math.floor(now / 1000) + LOG_DAYS * 86_400,
  };
  if ((await apply(table, [{ op: 'put', key, row }])) === 'lost') {
    // A change that came again may have been cut off before its message was sent.
    const known = await getRow(table, key, DeliveryRow);
    if (known?.status !== 'pending' || known.attempts > 0) return;
  }
  await send(sqs, queueUrl, { endpointId, creatorId, deliveryId, dueAt } satisfies DeliveryMessage);
}
