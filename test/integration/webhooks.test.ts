import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { queryAll } from '../../aws/pages.ts';
import { getRow } from '../../aws/table.ts';
import { randomId } from '../../core/api/random-id.ts';
import { webhookKeys } from '../../core/contracts/table/keys.ts';
import type { ApiCall, ApiServices } from '../../functions/api/call.ts';
import { webhookRoutes } from '../../functions/api/routes/webhooks.ts';
import { QUEUES, type Services, startServices } from '../support/services.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

let services: Services;
beforeAll(async () => {
  services = await startServices();
});
afterAll(() => services[Symbol.asyncDispose]());

const NOW = '2026-11-21T12:00:00.000Z';

/** The routes need no more of the API's services and of a request than this. */
const apiServices = () => {
  const { table, sqs } = services;
  return { table, sqs, env: { WEBHOOK_QUEUE_URL: QUEUES.webhooks, WEBHOOK_ALLOW_LOOPBACK: true } } as ApiServices;
};
const callOf = (creatorId: string) => ({ caller: { creatorId, operator: false }, query: {}, now: NOW });

async function create(creatorId: string, n: number): Promise<string> {
  const call = { ...callOf(creatorId), body: { url: `https://example.com/${n}` } };
  const { body } = await webhookRoutes.createWebhook(call as unknown as ApiCall<'createWebhook'>, apiServices());
  return body.id;
}

async function remove(creatorId: string, id: string): Promise<void> {
  const call = { ...callOf(creatorId), params: { id } };
  await webhookRoutes.deleteWebhook(call as unknown as ApiCall<'deleteWebhook'>, apiServices());
}

async function held(creatorId: string): Promise<{ counted: number; rows: number }> {
  const { pk } = webhookKeys.endpoint(creatorId, '');
  const rows = await queryAll(services.table, z.object({ endpointId: z.string() }), {
    KeyConditionExpression: 'pk = :pk AND begins_with(sk, :sk)',
    ExpressionAttributeValues: { ':pk': pk, ':sk': 'WEBHOOK#' },
  });
  const count = await getRow(services.table, webhookKeys.count(creatorId), z.object({ endpoints: z.number() }));
  return { counted: count?.endpoints ?? 0, rows: rows.length };
}

it('endpoints of one creator that are created and removed at once are each counted', async () => {
  const creatorId = `c${randomId(8)}`;
  const ids = await Promise.all(Array.from({ length: 5 }, (_, n) => create(creatorId, n)));
  expect(await held(creatorId)).toEqual({ counted: 5, rows: 5 });
  await Promise.all(ids.slice(0, 4).map((id) => remove(creatorId, id)));
  expect(await held(creatorId)).toEqual({ counted: 1, rows: 1 });
});

it('the eleventh endpoint is refused, and a removed one is not found', async () => {
  const creatorId = `c${randomId(8)}`;
  let last = '';
  for (let n = 0; n < 10; n++) last = await create(creatorId, n);
  await expect(create(creatorId, 10)).rejects.toMatchObject({ code: 'too_many_webhooks' });
  await remove(creatorId, last);
  await expect(remove(creatorId, last)).rejects.toMatchObject({ code: 'not_found' });
  expect(await held(creatorId)).toEqual({ counted: 9, rows: 9 });
});
