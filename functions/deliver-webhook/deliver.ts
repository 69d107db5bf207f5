import { Webhook } from 'standardwebhooks';
import { send } from '../../aws/queue.ts';
import { apply, getRow } from '../../aws/table.ts';
import {
  type DeliveryAttempt,
  type DeliveryMessage,
  DeliveryRow,
  EndpointRow,
  webhookKeys,
} from '../../core/contracts/webhooks.ts';
import { delaySeconds, nextAttempt } from '../../core/webhooks/backoff.ts';
import { validSecrets } from '../../core/webhooks/secrets.ts';
import { count, logger } from '../shared/stack.ts';
import { post } from './post.ts';
import type { Services } from './services.ts';

/** Tries that the log keeps. */
const LOG_LENGTH = 10;

/**
 * One try. The row decides: a message whose delivery is done, not due yet, or taken by another message does nothing but wait.
 * A message of a delivery that is given up fails, until its queue puts it among the dead letters.
 */
export async function deliver(services: Services, message: DeliveryMessage, now: number): Promise<void> {
  const { table, sqs, queueUrl, rules } = services;
  const key = webhookKeys.delivery(message.endpointId, message.deliveryId);
  const row = await getRow(table, key, DeliveryRow);
  if (!row || row.status === 'delivered') return;
  if (row.status === 'failed') throw new Error(`given up: delivery ${row.deliveryId} to ${row.endpointId}`);
  const dueAt = row.nextAttemptAt ?? message.dueAt;
  if (Date.parse(dueAt) > now) {
    return send(sqs, queueUrl, { ...message, dueAt }, delaySeconds(Date.parse(dueAt), now));
  }
  const endpoint = await getRow(table, webhookKeys.endpoint(row.creatorId, row.endpointId), EndpointRow);
  if (!endpoint?.enabled) {
    const error = endpoint ? 'The endpoint is disabled.' : 'The endpoint was removed.';
    const log = logWith(row, { at: iso(now), latencyMs: 0, error });
    await apply(table, [{ op: 'update', key, expect: stillAt(row), set: { status: 'failed', log } }]);
    return;
  }
  const attempt = await tryOnce(endpoint, row, rules, now);
  const attempts = row.attempts + 1;
  const log = logWith(row, attempt);
  if (attempt.status !== undefined && attempt.status >= 200 && attempt.status < 300) {
    const set = { status: 'delivered', attempts, log };
    await apply(table, [{ op: 'update', key, expect: stillAt(row), set, remove: ['nextAttemptAt'] }]);
    return;
  }
  const next = nextAttempt(attempts, now + attempt.latencyMs, Date.parse(row.deadline), Math.random());
  logger.info('webhook not delivered', { deliveryId: row.deliveryId, endpointId: row.endpointId, attempt, next });
  if (next === null) {
    const set = { status: 'failed', attempts, log };
    const done = await apply(table, [{ op: 'update', key, expect: stillAt(row), set, remove: ['nextAttemptAt'] }]);
    if (done === 'lost') return;
    count('webhookUndelivered');
    throw new Error(`given up: delivery ${row.deliveryId} to ${row.endpointId}`);
  }
  const set = { attempts, log, nextAttemptAt: iso(next) };
  const noted = await apply(table, [{ op: 'update', key, expect: stillAt(row), set }]);
  // Another message of this delivery has gone on with it.
  if (noted === 'lost') return;
  await send(sqs, queueUrl, { ...message, dueAt: iso(next) }, delaySeconds(next, now + attempt.latencyMs));
}

function stillAt(row: DeliveryRow) {
  return { status: row.status, attempts: row.attempts, deadline: row.deadline };
}

function logWith(row: DeliveryRow, attempt: DeliveryAttempt): DeliveryAttempt[] {
  return [...row.log, attempt].slice(-LOG_LENGTH);
}

async function tryOnce(
  endpoint: EndpointRow,
  row: DeliveryRow,
  rules: Services['rules'],
  now: number,
): Promise<DeliveryAttempt> {
  const at = new Date(now);
  const signatures = validSecrets(endpoint.secrets, at.toISOString()).map((secret) =>
    new Webhook(secret).sign(row.eventId, at, row.payload),
  );
  const started = performance.now();
  const outcome = await post(
    endpoint.url,
    {
      'content-type': 'application/json',
      'user-agent': 'dropreel-webhooks/1',
      'webhook-id': row.eventId,
      'webhook-timestamp': String(Math.floor(now / 1000)),
      'webhook-signature': signatures.join(' '),
    },
    row.payload,
    rules,
  );
  return { at: at.toISOString(), latencyMs: Math.round(performance.now() - started), ...outcome };
}

const iso = (ms: number) => new Date(ms).toISOString();
