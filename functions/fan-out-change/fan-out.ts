import type { SQSClient } from '@aws-sdk/client-sqs';
import { queryAll } from '../../aws/pages.ts';
import { send } from '../../aws/queue.ts';
import { apply, getRow, type Table } from '../../aws/table.ts';
import { within } from '../../aws/table-expressions.ts';
import type { DeliveryMessage, StateChange } from '../../core/contracts/events.ts';
import { webhookKeys } from '../../core/contracts/table/keys.ts';
import { DeliveryRow, EndpointRow, type WebhookEvent } from '../../core/contracts/table/webhooks.ts';
import { epochSeconds, isoOf } from '../../core/time.ts';
import { GIVE_UP_AFTER_MS } from '../../core/webhooks/backoff.ts';
import { deliveryIdOf, eventIdOf, payloadOf, wants, webhookEventOf } from '../../core/webhooks/events.ts';
import { pendingTodo } from '../../core/webhooks/undelivered.ts';

const LOG_DAYS = 30;

export interface FanOut {
  table: Table;
  sqs: SQSClient;
  queueUrl: string;
  /** Milliseconds since the epoch. */
  now: number;
  /** The endpoints of each creator, read once for a batch. */
  endpoints: Map<string, Promise<EndpointRow[]>>;
}

/** Makes one delivery for each endpoint that wants the event. For a repeated change it finds them already made. */
export async function fanOut(run: FanOut, change: StateChange): Promise<void> {
  const event = webhookEventOf(change);
  if (event === null) return;
  const { creatorId } = change;
  const endpoints = run.endpoints.get(creatorId) ?? endpointsOf(run.table, creatorId);
  run.endpoints.set(creatorId, endpoints);
  await Promise.all(
    (await endpoints)
      .filter((endpoint) => wants(endpoint, event))
      .map((endpoint) => start(run, endpoint, event, change)),
  );
}

function endpointsOf(table: Table, creatorId: string): Promise<EndpointRow[]> {
  return queryAll(table, EndpointRow, {
    ...within(webhookKeys.endpoints(creatorId)),
    ConsistentRead: true,
  });
}

async function start(
  { table, sqs, queueUrl, now }: FanOut,
  { endpointId, creatorId }: EndpointRow,
  event: WebhookEvent,
  change: StateChange,
): Promise<void> {
  const deliveryId = deliveryIdOf(change);
  const key = webhookKeys.delivery(endpointId, deliveryId);
  const dueAt = isoOf(now);
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
    deadline: isoOf(now + GIVE_UP_AFTER_MS),
    nextAttemptAt: dueAt,
    ...pendingTodo(dueAt),
    changedAt: change.at,
    expiresAt: epochSeconds(isoOf(now), { days: LOG_DAYS }),
  };
  if ((await apply(table, [{ op: 'put', key, row }])) === 'lost') {
    // The first handling of a repeated change may have been cut off before its message was sent.
    const known = await getRow(table, key, DeliveryRow);
    if (known?.status !== 'pending' || known.attempts > 0) return;
  }
  await send(sqs, queueUrl, { endpointId, creatorId, deliveryId, dueAt } satisfies DeliveryMessage);
}
