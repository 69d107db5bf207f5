import { eachLimit } from '../../../aws/concurrency.ts';
import { queryAll, queryPage } from '../../../aws/pages.ts';
import { send } from '../../../aws/queue.ts';
import { apply, getRow } from '../../../aws/table.ts';
import { within } from '../../../aws/table-expressions.ts';
import { getRows, queryTodo } from '../../../aws/table-queries.ts';
import { creatorFor } from '../../../core/api/caller.ts';
import { decodeCursor, encodeCursor } from '../../../core/api/cursor.ts';
import { etagOf, matches } from '../../../core/api/etag.ts';
import { ApiError, notFound } from '../../../core/api/problem.ts';
import { randomId } from '../../../core/api/random-id.ts';
import { deliveryView, webhookView } from '../../../core/api/views.ts';
import type { PingMessage } from '../../../core/contracts/events.ts';
import { MAX_ENDPOINTS, type WebhookView } from '../../../core/contracts/http/webhooks.ts';
import { DeliveryId } from '../../../core/contracts/ids.ts';
import { DUE_WORK, webhookKeys } from '../../../core/contracts/table/keys.ts';
import { DeliveryRow, EndpointRow } from '../../../core/contracts/table/webhooks.ts';
import type { Add, Update } from '../../../core/jobs/change.ts';
import { plus } from '../../../core/time.ts';
import { GIVE_UP_AFTER_MS } from '../../../core/webhooks/backoff.ts';
import { newSecret, rotate } from '../../../core/webhooks/secrets.ts';
import { mayBeTarget } from '../../../core/webhooks/target.ts';
import { failedOf, pendingTodo } from '../../../core/webhooks/undelivered.ts';
import type { ApiServices, Routes } from '../call.ts';
import { creatorsKnown } from '../creators.ts';
import { loadWebhook } from '../load.ts';

/** Most deliveries that one request sends again. */
const REPLAY_BATCH = 100;
/** Most overdue deliveries, of all creators, that a replay looks through; sweep sends them within five minutes. */
const OVERDUE_SEEN = 1000;
/** Per creator; each of its endpoints gets up to 5 ping attempts. */
const PINGS_PER_HOUR = 30;
/** Creators whose endpoints one list has, and how many of them are asked for at the same time. */
const [MOST_CREATORS, CREATORS_AT_ONCE] = [500, 20];
/** Later than any time in the index. */
const LAST_TIME = '9999-12-31T23:59:59.999Z';

type Ids =
  | 'listWebhooks'
  | 'createWebhook'
  | 'getWebhook'
  | 'patchWebhook'
  | 'deleteWebhook'
  | 'rotateWebhookSecret'
  | 'verifyWebhook'
  | 'listDeliveries'
  | 'replayDelivery'
  | 'replayFailed';

export const webhookRoutes: Routes<Ids> = {
  async listWebhooks({ caller, query, now }, { table }) {
    const everyone = caller.operator && query.creatorId === undefined;
    const known = everyone ? await creatorsKnown(table) : [];
    const creators = everyone
      ? [...new Set([caller.creatorId, ...known])].slice(0, MOST_CREATORS)
      : [creatorFor(caller, query.creatorId)];
    const rows = new Map<string, EndpointRow[]>();
    await eachLimit(creators, CREATORS_AT_ONCE, async (creatorId) => {
      rows.set(creatorId, await queryAll(table, EndpointRow, within(webhookKeys.endpoints(creatorId))));
    });
    const items = creators.flatMap((creatorId) => rows.get(creatorId) ?? []).map((row) => webhookView(row, now));
    return { body: { items, more: known.length >= MOST_CREATORS } };
  },

  async createWebhook({ caller, body, now }, services) {
    requireTarget(body.url, services);
    const creatorId = creatorFor(caller, body.creatorId);
    await takePing(services, creatorId, now);
    const secret = newSecret();
    const row: EndpointRow = {
      type: 'webhook',
      endpointId: `wh_${randomId(16)}`,
      creatorId,
      url: body.url,
      events: body.events ?? [],
      description: body.description ?? '',
      enabled: true,
      secrets: [{ secret }],
      ...unproved(now),
      createdAt: now,
      updatedAt: now,
    };
    await addEndpoint(services, row);
    await sendPing(services, row);
    return { body: { ...webhookView(row, now), secret }, headers: { Location: `/webhooks/${row.endpointId}` } };
  },

  async getWebhook(call, services) {
    return withEtag(await loadWebhook(services, call), call.now);
  },

  async patchWebhook(call, services) {
    const { body, now, headers } = call;
    if (body.url !== undefined) requireTarget(body.url, services);
    const row = await loadWebhook(services, call);
    if (!matches(headers.get('if-match'), await etagOf(row))) {
      throw new ApiError('precondition_failed', 'The endpoint changed since it was read.');
    }
    if (body.url === undefined || body.url === row.url) {
      await changeEndpoint(services, row, { ...body, updatedAt: now });
    } else {
      await takePing(services, row.creatorId, now);
      const fresh = unproved(now);
      await changeEndpoint(services, row, { ...body, ...fresh, updatedAt: now }, ['ping']);
      await sendPing(services, { ...row, ...fresh });
    }
    return withEtag(await loadWebhook(services, call), now);
  },

  async deleteWebhook(call, { table, ...services }) {
    const { creatorId, endpointId } = await loadWebhook({ table, ...services }, call);
    const done = await apply(table, [
      { op: 'remove', key: webhookKeys.endpoint(creatorId, endpointId), expect: { endpointId } },
      counted(creatorId, -1),
    ]);
    if (done === 'lost') throw notFound('webhook endpoint');
    return { body: null };
  },

  async rotateWebhookSecret(call, services) {
    const { now } = call;
    const row = await loadWebhook(services, call);
    const secret = newSecret();
    const changed = { ...row, secrets: rotate(row.secrets, secret, Date.parse(now)), updatedAt: now };
    await changeEndpoint(services, row, { secrets: changed.secrets, updatedAt: now });
    return { body: { ...webhookView(changed, now), secret } };
  },

  async verifyWebhook(call, services) {
    const { now } = call;
    const row = await loadWebhook(services, call);
    if (row.state === 'active') return { body: webhookView(row, now) };
    await takePing(services, row.creatorId, now);
    const fresh = unproved(now);
    await changeEndpoint(services, row, fresh, ['ping']);
    await sendPing(services, { ...row, ...fresh });
    return { body: webhookView(await loadWebhook(services, call), now) };
  },

  async listDeliveries(call, services) {
    const { query } = call;
    const { endpointId } = await loadWebhook(services, call);
    const after = query.cursor && decodeCursor(query.cursor, endpointId, DeliveryId);
    const { items, next } = await queryPage(services.table, DeliveryRow, {
      ...within(webhookKeys.deliveries(endpointId)),
      ScanIndexForward: false,
      Limit: query.limit,
      ...(after && { ExclusiveStartKey: webhookKeys.delivery(endpointId, after) }),
    });
    const end = items.at(-1);
    return {
      body: { items: items.map(deliveryView), next: next && end ? encodeCursor(endpointId, end.deliveryId) : null },
    };
  },

  async replayDelivery(call, services) {
    const { endpointId } = await loadVerified(services, call);
    const key = webhookKeys.delivery(endpointId, call.params.deliveryId);
    const row = await getRow(services.table, key, DeliveryRow);
    if (!row) throw notFound('delivery');
    return { body: deliveryView(await replay(services, row, call.now)) };
  },

  async replayFailed(call, services) {
    const { endpointId } = await loadVerified(services, call);
    const since = new Date(call.body.since ?? 0).toISOString();
    const failed = await undelivered(services, endpointId, since, call.now);
    for (const row of failed.slice(0, REPLAY_BATCH)) await replay(services, row, call.now);
    return { body: { replayed: Math.min(failed.length, REPLAY_BATCH), more: failed.length > REPLAY_BATCH } };
  },
};

function requireTarget(url: string, { env }: ApiServices): void {
  const verdict = mayBeTarget(url, { allowLoopback: env.WEBHOOK_ALLOW_LOOPBACK });
  if (verdict === 'allowed') return;
  const why = verdict.refused;
  throw new ApiError('invalid_request', `body.url: ${why}`, { errors: [{ path: 'body.url', message: why }] });
}

/**
 * Writes the endpoint and the count of the creator's endpoints in one transaction, so that two simultaneous creations keep to the limit.
 */
async function addEndpoint({ table }: ApiServices, row: EndpointRow): Promise<void> {
  const { creatorId, endpointId } = row;
  const key = webhookKeys.endpoint(creatorId, endpointId);
  const done = await apply(table, [{ op: 'put', key, row }, counted(creatorId, 1)]);
  if (done === 'lost') throw new ApiError('too_many_webhooks', `At most ${MAX_ENDPOINTS} endpoints.`);
}

function counted(creatorId: string, endpoints: 1 | -1): Add {
  const key = webhookKeys.count(creatorId);
  return { op: 'add', key, amounts: { endpoints }, max: { endpoints: MAX_ENDPOINTS }, set: {} };
}

/** The state of an endpoint whose address has not agreed to anything. */
function unproved(now: string): Pick<EndpointRow, 'state' | 'pingedAt'> & { pingId: string } {
  return { state: 'unverified', pingId: `ping_${randomId(16)}`, pingedAt: now };
}

/** Pings go to any address that a creator names, so their number per hour is limited. */
async function takePing({ table }: ApiServices, creatorId: string, now: string): Promise<void> {
  const hour = now.slice(0, 13);
  const end = Date.parse(`${hour}:00:00Z`) + 3_600_000;
  const taken = await apply(table, [
    {
      op: 'add',
      key: webhookKeys.pings(creatorId, hour),
      amounts: { pings: 1 },
      max: { pings: PINGS_PER_HOUR },
      set: { type: 'quota', expiresAt: end / 1000 },
    },
  ]);
  if (taken === 'applied') return;
  throw new ApiError('quota_exceeded', `At most ${PINGS_PER_HOUR} endpoints an hour are pinged.`, {
    headers: { 'Retry-After': String(Math.ceil((end - Date.parse(now)) / 1000)) },
  });
}

async function sendPing({ sqs, env }: ApiServices, row: EndpointRow): Promise<void> {
  const { endpointId, creatorId, pingId = '', pingedAt = '' } = row;
  const message: PingMessage = { pingId, endpointId, creatorId, dueAt: pingedAt, tries: 0 };
  await send(sqs, env.WEBHOOK_QUEUE_URL, message);
}

async function loadVerified(services: ApiServices, call: Parameters<typeof loadWebhook>[1]): Promise<EndpointRow> {
  const row = await loadWebhook(services, call);
  if (row.state === 'active') return row;
  throw new ApiError('webhook_unverified', 'The endpoint has not answered a ping yet.');
}

async function changeEndpoint(
  { table }: ApiServices,
  row: EndpointRow,
  set: Update<EndpointRow>['set'],
  remove: readonly (keyof EndpointRow)[] = [],
): Promise<void> {
  const key = webhookKeys.endpoint(row.creatorId, row.endpointId);
  const expect = { updatedAt: row.updatedAt, url: row.url, enabled: row.enabled };
  const done = await apply(table, [{ op: 'update', key, expect, set, remove }]);
  if (done === 'lost') throw new ApiError('conflict', 'The endpoint was changed at the same moment.');
}

/** Starts the delivery over: pending, with three days before it. Its message may meet an older one; the row distinguishes them. */
async function replay({ table, sqs, env }: ApiServices, row: DeliveryRow, now: string): Promise<DeliveryRow> {
  const { endpointId, creatorId, deliveryId } = row;
  const deadline = plus(now, { ms: GIVE_UP_AFTER_MS });
  const set = { status: 'pending' as const, deadline, nextAttemptAt: now, attempts: 0, ...pendingTodo(now) };
  await apply(table, [
    { op: 'update', key: webhookKeys.delivery(endpointId, deliveryId), expect: { type: 'delivery' }, set },
  ]);
  await send(sqs, env.WEBHOOK_QUEUE_URL, { endpointId, creatorId, deliveryId, dueAt: now });
  return { ...row, ...set };
}

/** Failed deliveries of changes since then, and pending ones whose message is overdue: by the index, whatever else was delivered. */
async function undelivered(
  { table }: ApiServices,
  endpointId: string,
  since: string,
  now: string,
): Promise<DeliveryRow[]> {
  const limit = REPLAY_BATCH + 1;
  const failed = await queryTodo(table, failedOf(endpointId), { from: since, until: LAST_TIME, limit });
  const overdue = (await queryTodo(table, DUE_WORK.delivery, { until: now, limit: OVERDUE_SEEN })).items.filter(
    ({ pk }) => pk === webhookKeys.delivery(endpointId, '').pk,
  );
  const rows = await getRows(table, [...failed.items, ...overdue], DeliveryRow, true);
  const asked = (row: DeliveryRow) => row.status === 'failed' || (row.todoAt ?? LAST_TIME) <= now;
  return rows
    .filter((row) => asked(row) && row.changedAt >= since)
    .sort((a, b) => (a.deliveryId < b.deliveryId ? -1 : 1));
}

async function withEtag(
  row: EndpointRow,
  now: string,
): Promise<{ body: WebhookView; headers: Record<string, string> }> {
  return { body: webhookView(row, now), headers: { ETag: await etagOf(row) } };
}
