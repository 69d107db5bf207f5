import { send } from '../../aws/queue.ts';
import { apply, getRow, type Table } from '../../aws/table.ts';
import type { DeliveryMessage } from '../../core/contracts/events.ts';
import { webhookKeys } from '../../core/contracts/table/keys.ts';
import {
  type BreakerRow,
  type DeliveryAttempt,
  DeliveryRow,
  EndpointRow,
} from '../../core/contracts/table/webhooks.ts';
import { isoOf } from '../../core/time.ts';
import { delaySeconds, nextAttempt, placeRetrySeconds } from '../../core/webhooks/backoff.ts';
import { failedTodo, pendingTodo } from '../../core/webhooks/undelivered.ts';
import { count, logger } from '../shared/observability.ts';
import { admit, note } from './breaker.ts';
import { givePlaceBack, takePlace } from './places.ts';
import { isDelivered, sendSigned } from './send-signed.ts';
import type { DeliveryServices } from './services.ts';

/** Attempts that the log keeps. */
const LOG_LENGTH = 10;
/** The deliveries that waited for one endpoint are retried over this time. */
const SPREAD_MS = 10_000;
/** Between two checks of an endpoint that has to answer a ping first. */
const UNVERIFIED_MS = 5 * 60_000;

/**
 * One attempt. The row decides: a message whose delivery is done, not due yet, or taken by another message does nothing but wait. So does
 * one whose endpoint is paused, or whose creator has as many attempts in progress as allowed. A message of a delivery that is given up
 * fails, until its queue moves it to the dead letters.
 */
export async function deliver(services: DeliveryServices, message: DeliveryMessage, now: number): Promise<void> {
  const { table, sqs, queueUrl } = services;
  const row = await getRow(table, webhookKeys.delivery(message.endpointId, message.deliveryId), DeliveryRow);
  if (!row || row.status === 'delivered') return;
  if (row.status === 'failed') throw givenUp(row);
  const dueAt = row.nextAttemptAt ?? message.dueAt;
  if (Date.parse(dueAt) > now) {
    return send(sqs, queueUrl, { ...message, dueAt }, delaySeconds(Date.parse(dueAt), now));
  }
  const endpoint = await getRow(table, webhookKeys.endpoint(row.creatorId, row.endpointId), EndpointRow);
  if (!endpoint?.enabled) {
    const error = endpoint ? 'The endpoint is disabled.' : 'The endpoint was removed.';
    await fail(table, row, row.attempts, { at: isoOf(now), latencyMs: 0, error });
    return;
  }
  // Its URL was changed since: the new one has to answer a ping before it gets the waiting deliveries.
  if (endpoint.state !== 'active') return postpone(services, { message, row, until: now + UNVERIFIED_MS, now });
  const admission = await admit(table, row.endpointId, now);
  if ('waitUntil' in admission) return postpone(services, { message, row, until: admission.waitUntil, now });
  const place = await takePlace(table, row, services.atOnce, now);
  if (!place) {
    const turns = (message.turns ?? 0) + 1;
    return send(sqs, queueUrl, { ...message, dueAt, turns }, placeRetrySeconds(turns, Math.random()));
  }
  try {
    await tryNow(services, { message, row, endpoint, breaker: admission.row, now });
  } finally {
    await givePlaceBack(table, row.creatorId, place);
  }
}

async function tryNow(
  services: DeliveryServices,
  attempted: {
    message: DeliveryMessage;
    row: DeliveryRow;
    endpoint: EndpointRow;
    breaker: BreakerRow | null;
    now: number;
  },
): Promise<void> {
  const { table } = services;
  const { message, row, endpoint, breaker, now } = attempted;
  const attempt = await sendSigned(endpoint, { id: row.eventId, payload: row.payload }, services.rules, now);
  const endedAt = now + attempt.latencyMs;
  const delivered = isDelivered(attempt);
  await note(table, row.endpointId, breaker, { delivered, endedAt });
  const key = webhookKeys.delivery(row.endpointId, row.deliveryId);
  const attempts = row.attempts + 1;
  if (delivered) {
    const set = { status: 'delivered', attempts, log: logWith(row, attempt) };
    const remove = ['nextAttemptAt', 'todo', 'todoAt'] as const;
    await apply(table, [{ op: 'update', key, expect: stillAt(row), set, remove }]);
    return;
  }
  const next = nextAttempt(attempts, endedAt, Date.parse(row.deadline), Math.random());
  logger.info('webhook not delivered', { deliveryId: row.deliveryId, endpointId: row.endpointId, attempt, next });
  if (next === null) return giveUp(table, row, attempts, attempt);
  const set = { attempts, log: logWith(row, attempt), nextAttemptAt: isoOf(next), ...pendingTodo(isoOf(next)) };
  const noted = await apply(table, [{ op: 'update', key, expect: stillAt(row), set }]);
  // Another message of this delivery has continued it.
  if (noted === 'lost') return;
  const { turns: _, ...again } = message;
  await send(services.sqs, services.queueUrl, { ...again, dueAt: isoOf(next) }, delaySeconds(next, endedAt));
}

/** Postpones a delivery whose endpoint is paused until then. That does not count as an attempt, but the three days continue. */
async function postpone(
  { table, sqs, queueUrl }: DeliveryServices,
  { message, row, until, now }: { message: DeliveryMessage; row: DeliveryRow; until: number; now: number },
): Promise<void> {
  const deadline = Date.parse(row.deadline);
  if (now >= deadline) {
    const error = 'The endpoint was not ready in time: it failed repeatedly, or has not answered its ping.';
    return giveUp(table, row, row.attempts, { at: isoOf(now), latencyMs: 0, error });
  }
  // Spread, so that deliveries that waited for one endpoint are not sent in the same second.
  const next = Math.min(Math.round(until + SPREAD_MS * Math.random()), deadline);
  const key = webhookKeys.delivery(row.endpointId, row.deliveryId);
  const set = { nextAttemptAt: isoOf(next), ...pendingTodo(isoOf(next)) };
  if ((await apply(table, [{ op: 'update', key, expect: stillAt(row), set }])) === 'lost') return;
  await send(sqs, queueUrl, { ...message, dueAt: isoOf(next) }, delaySeconds(next, now));
}

async function giveUp(table: Table, row: DeliveryRow, attempts: number, attempt: DeliveryAttempt): Promise<void> {
  if ((await fail(table, row, attempts, attempt)) === 'lost') return;
  count('webhookUndelivered');
  throw givenUp(row);
}

/** `lost`: another message of this delivery has continued it. */
async function fail(
  table: Table,
  row: DeliveryRow,
  attempts: number,
  attempt: DeliveryAttempt,
): Promise<'applied' | 'lost'> {
  const key = webhookKeys.delivery(row.endpointId, row.deliveryId);
  const set = { status: 'failed', attempts, log: logWith(row, attempt), ...failedTodo(row) };
  return apply(table, [{ op: 'update', key, expect: stillAt(row), set, remove: ['nextAttemptAt'] }]);
}

function givenUp(row: DeliveryRow): Error {
  return new Error(`given up: delivery ${row.deliveryId} to ${row.endpointId}`);
}

function stillAt(row: DeliveryRow) {
  const { status, attempts, deadline, nextAttemptAt } = row;
  return { status, attempts, deadline, nextAttemptAt: nextAttemptAt ?? null };
}

function logWith(row: DeliveryRow, attempt: DeliveryAttempt): DeliveryAttempt[] {
  return [...row.log, attempt].slice(-LOG_LENGTH);
}
