import { send } from '../../aws/queue.ts';
import { apply, getRow } from '../../aws/table.ts';
import type { DeliveryMessage } from '../../core/contracts/events.ts';
import { DUE_WORK } from '../../core/contracts/table/keys.ts';
import { DeliveryRow } from '../../core/contracts/table/webhooks.ts';
import { pendingTodo } from '../../core/webhooks/undelivered.ts';
import { eachDue } from './due.ts';
import type { SweepServices } from './services.ts';

/** Webhook deliveries whose message was lost, or purged from the dead letters: each gets a new one. A second message does no harm. */
export async function sendOverdueDeliveries(services: SweepServices): Promise<void> {
  const { table, sqs, webhookQueueUrl, now, report } = services;
  await eachDue(services, DUE_WORK.delivery, async (key) => {
    const row = await getRow(table, key, DeliveryRow);
    if (row?.status !== 'pending' || row.todoAt === undefined || row.todoAt > now) return;
    const { endpointId, creatorId, deliveryId, nextAttemptAt } = row;
    const message: DeliveryMessage = { endpointId, creatorId, deliveryId, dueAt: nextAttemptAt ?? now };
    await send(sqs, webhookQueueUrl, message);
    await apply(table, [{ op: 'update', key, expect: { todoAt: row.todoAt }, set: pendingTodo(now) }]);
    report('deliveriesSent');
  });
}
