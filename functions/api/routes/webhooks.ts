import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { queryAll, queryPage } from '../../../aws/pages.ts';
import { send } from '../../../aws/queue.ts';
import { apply, getRow } from '../../../aws/table.ts';
import { creatorFor } from '../../../core/api/caller.ts';
import { decodeCursor, encodeCursor } from '../../../core/api/cursor.ts';
import { etagOf, matches } from '../../../core/api/etag.ts';
import { ApiError, notFound } from '../../../core/api/problem.ts';
import { randomId } from '../../../core/api/random-id.ts';
import { deliveryView, webhookView } from '../../../core/api/views.ts';
import {
  DeliveryId,
  DeliveryRow,
  EndpointRow,
  MAX_ENDPOINTS,
  type WebhookView,
  webhookKeys,
} from '../../../core/contracts/webhooks.ts';
import { GIVE_UP_AFTER_MS } from '../../../core/webhooks/backoff.ts';
import { newSecret, rotate } from '../../../core/webhooks/secrets.ts';
import { refuseUrl } from '../../../core/webhooks/target.ts';
import type { Routes, Services } from '../call.ts';
import { loadWebhook } from '../load.ts';

/** Deliveries sent again by one request. */
const REPLAY_BATCH = 100;

type Ids =
  | 'listWebhooks'
  | 'createWebhook'
  | 'getWebhook'
  | 'patchWebhook'
  | 'deleteWebhook'
  | 'rotateWebhookSecret'
  | 'listDeliveries'
  | 'replayDelivery'
  | 'replayFailed';

export const webhookRoutes: Routes<Ids> = {
  async listWebhooks({ caller, query, now }, { table }) {
    const rows = await queryAll(table, EndpointRow, {
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
      ExpressionAttributeValues: {
        ':pk': webhookKeys.endpoint(creatorFor(caller, query.creatorId), '').pk,
        ':sk': 'WEBHOOK#',
      },
    });
    return { body: { items: rows.map((row) => webhookView(row, now)) } };
  },

  async createWebhook({ caller, body, now }, services) {
    requireTarget(body.url, services);
    const creatorId = creatorFor(caller, body.creatorId);
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
      createdAt: now,
      updatedAt: now,
    };
    await addEndpoint(services, row);
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
      throw new ApiError('precondition_failed', 'The endpoint changed since you read it.');
    }
    await changeEndpoint(services, row, { ...body, updatedAt: now });
    return withEtag(await loadWebhook(services, call), now);
  },

  async deleteWebhook(call, { table, ...services }) {
    const row = await loadWebhook({ table, ...services }, call);
    const { creatorId, endpointId } = row;
    const base = { TableName: table.name };
    try {
      await table.client.send(
        new TransactWriteCommand({
          TransactItems: [
            {
              Delete: {
                ...base,
                Key: webhookKeys.endpoint(creatorId, endpointId),
                ConditionExpression: 'attribute_exists(pk)',
              },
            },
            {
              Update: {
                ...base,
                Key: webhookKeys.count(creatorId),
                UpdateExpression: 'ADD endpoints :less',
                ExpressionAttributeValues: { ':less': -1 },
              },
            },
          ],
        }),
      );
    } catch (error) {
      if (isRefused(error)) throw notFound('webhook endpoint');
      throw error;
    }
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

  async listDeliveries(call, services) {
    const { query } = call;
    const { endpointId } = await loadWebhook(services, call);
    const after = query.cursor && decodeCursor(query.cursor, endpointId, DeliveryId);
    const { items, next } = await queryPage(services.table, DeliveryRow, {
      ...deliveriesOf(endpointId),
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
    const { endpointId } = await loadWebhook(services, call);
    const key = webhookKeys.delivery(endpointId, call.params.deliveryId);
    const row = await getRow(services.table, key, DeliveryRow);
    if (!row) throw notFound('delivery');
    return { body: deliveryView(await replay(services, row, call.now)) };
  },

  async replayFailed(call, services) {
    const { endpointId } = await loadWebhook(services, call);
    const since = Date.parse(call.body.since ?? '1970-01-01T00:00:00Z');
    const from = webhookKeys.delivery(endpointId, String(since).padStart(13, '0')).sk;
    const failed = await failedDeliveries(services, endpointId, from);
    for (const row of failed.slice(0, REPLAY_BATCH)) await replay(services, row, call.now);
    return { body: { replayed: Math.min(failed.length, REPLAY_BATCH), more: failed.length > REPLAY_BATCH } };
  },
};

function requireTarget(url: string, { env }: Services): void {
  const why = refuseUrl(url, { allowLoopback: env.WEBHOOK_ALLOW_LOOPBACK });
  if (why) throw new ApiError('invalid_request', `body.url: ${why}`, { errors: [{ path: 'body.url', message: why }] });
}

/** The endpoint and the count of the creator's endpoints in one transaction: two creations at once keep to the limit. */
async function addEndpoint({ table }: Services, row: EndpointRow): Promise<void> {
  const { creatorId, endpointId } = row;
  try {
    await table.client.send(
      new TransactWriteCommand({
        TransactItems: [
          { Put: { TableName: table.name, Item: { ...webhookKeys.endpoint(creatorId, endpointId), ...row } } },
          {
            Update: {
              TableName: table.name,
              Key: webhookKeys.count(creatorId),
              UpdateExpression: 'ADD endpoints :more',
              ConditionExpression: 'attribute_not_exists(endpoints) OR endpoints < :max',
              ExpressionAttributeValues: { ':more': 1, ':max': MAX_ENDPOINTS },
            },
          },
        ],
      }),
    );
  } catch (error) {
    if (isRefused(error)) throw new ApiError('too_many_webhooks', `At most ${MAX_ENDPOINTS} endpoints.`);
    throw error;
  }
}

async function changeEndpoint({ table }: Services, row: EndpointRow, set: Record<string, unknown>): Promise<void> {
  const key = webhookKeys.endpoint(row.creatorId, row.endpointId);
  const expect = { updatedAt: row.updatedAt, url: row.url, enabled: row.enabled };
  const done = await apply(table, [{ op: 'update', key, expect, set }]);
  if (done === 'lost') throw new ApiError('conflict', 'The endpoint was changed at the same moment.');
}

/** From the beginning: pending, with three days before it. Its message may meet an older one; the row tells them apart. */
async function replay({ table, sqs, env }: Services, row: DeliveryRow, now: string): Promise<DeliveryRow> {
  const { endpointId, creatorId, deliveryId } = row;
  const deadline = new Date(Date.parse(now) + GIVE_UP_AFTER_MS).toISOString();
  const set = { status: 'pending' as const, deadline, nextAttemptAt: now, attempts: 0 };
  await apply(table, [
    { op: 'update', key: webhookKeys.delivery(endpointId, deliveryId), expect: { type: 'delivery' }, set },
  ]);
  await send(sqs, env.WEBHOOK_QUEUE_URL, { endpointId, creatorId, deliveryId, dueAt: now });
  return { ...row, ...set };
}

async function failedDeliveries({ table }: Services, endpointId: string, from: string): Promise<DeliveryRow[]> {
  const rows: DeliveryRow[] = [];
  let after: Record<string, unknown> | undefined;
  do {
    const page = await queryPage(table, DeliveryRow, {
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
      FilterExpression: '#status = :failed',
      ExpressionAttributeNames: { '#status': 'status' },
      ExpressionAttributeValues: {
        ':pk': webhookKeys.delivery(endpointId, '').pk,
        ':from': from,
        ':to': webhookKeys.delivery(endpointId, '~').sk,
        ':failed': 'failed',
      },
      ...(after && { ExclusiveStartKey: after }),
    });
    rows.push(...page.items);
    after = page.next;
  } while (after && rows.length <= REPLAY_BATCH);
  return rows;
}

function deliveriesOf(endpointId: string) {
  return {
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
    ExpressionAttributeValues: { ':pk': webhookKeys.delivery(endpointId, '').pk, ':sk': 'DELIVERY#' },
  };
}

async function withEtag(
  row: EndpointRow,
  now: string,
): Promise<{ body: WebhookView; headers: Record<string, string> }> {
  return { body: webhookView(row, now), headers: { ETag: await etagOf(row) } };
}

const Refused = z.object({
  name: z.literal('TransactionCanceledException'),
  CancellationReasons: z.array(z.object({ Code: z.string().optional() })),
});

function isRefused(error: unknown): boolean {
  const { data } = Refused.safeParse(error);
  return data?.CancellationReasons.some(({ Code }) => Code === 'ConditionalCheckFailed') ?? false;
}
