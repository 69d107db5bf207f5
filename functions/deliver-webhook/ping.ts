import { send } from '../../aws/queue.ts';
import { apply, getRow } from '../../aws/table.ts';
import type { PingMessage } from '../../core/contracts/events.ts';
import type { PingPayload } from '../../core/contracts/http/webhooks.ts';
import { webhookKeys } from '../../core/contracts/table/keys.ts';
import { EndpointRow } from '../../core/contracts/table/webhooks.ts';
import { isoOf } from '../../core/time.ts';
import { delaySeconds, nextAttempt, placeRetrySeconds } from '../../core/webhooks/backoff.ts';
import { logger } from '../shared/observability.ts';
import { givePlaceBack, takePlace } from './places.ts';
import { isDelivered, sendSigned } from './send-signed.ts';
import type { DeliveryServices } from './services.ts';

/**
 * At 0 s, 5 s, 25 s, 2 min and 7 min: the caller that adds an endpoint gets its secret with the answer, and configures the receiver then.
 */
const PINGS = 5;

/**
 * One ping to an endpoint that has not proved itself: a 2xx makes it active. Otherwise it is repeated a few times, and after that only on
 * request, since the address may be one that never agreed to any of it.
 */
export async function ping(services: DeliveryServices, message: PingMessage, now: number): Promise<void> {
  const { table, sqs, queueUrl, rules, atOnce } = services;
  const { endpointId, creatorId, pingId, tries } = message;
  const dueAt = Date.parse(message.dueAt);
  if (dueAt > now) return send(sqs, queueUrl, message, delaySeconds(dueAt, now));
  const key = webhookKeys.endpoint(creatorId, endpointId);
  const endpoint = await getRow(table, key, EndpointRow);
  if (!endpoint?.enabled || endpoint.state === 'active' || endpoint.pingId !== pingId) return;
  const place = await takePlace(table, endpoint, atOnce, now);
  if (!place) return send(sqs, queueUrl, message, placeRetrySeconds(1, Math.random()));
  const at = isoOf(now);
  const payload: PingPayload = { type: 'webhook.ping', timestamp: at, data: { endpointId, creatorId } };
  const attempt = await sendSigned(endpoint, { id: pingId, payload: JSON.stringify(payload) }, rules, now).finally(() =>
    givePlaceBack(table, creatorId, place),
  );
  const expect = { pingId, state: 'unverified' };
  if (isDelivered(attempt)) {
    await apply(table, [{ op: 'update', key, expect, set: { state: 'active', ping: attempt } }]);
    return;
  }
  logger.info('ping not answered', { endpointId, attempt });
  const noted = await apply(table, [{ op: 'update', key, expect, set: { ping: attempt } }]);
  const next = nextAttempt(tries + 1, now + attempt.latencyMs, Number.POSITIVE_INFINITY, 0);
  if (noted === 'lost' || tries + 1 >= PINGS || next === null) return;
  const again: PingMessage = { ...message, tries: tries + 1, dueAt: isoOf(next) };
  await send(sqs, queueUrl, again, delaySeconds(next, now + attempt.latencyMs));
}
