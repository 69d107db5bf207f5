import { SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { z } from 'zod';
import { DeliverWebhookEnv } from '../../core/contracts/env.ts';
import { MediaStateChanged } from '../../core/contracts/events.ts';
import { DeliveryMessage } from '../../core/contracts/webhooks.ts';
import { tableNamed } from '../shared/clients.ts';
import { environment } from '../shared/environment.ts';
import { eachMessage } from '../shared/records.ts';
import { lambda } from '../shared/stack.ts';
import { countChange } from './count-change.ts';
import { deliver } from './deliver.ts';
import { fanOut } from './fan-out.ts';

const env = environment(DeliverWebhookEnv);
const services = {
  table: tableNamed(env.TABLE_NAME),
  sqs: new SQSClient({}),
  queueUrl: env.WEBHOOK_QUEUE_URL,
  rules: { allowLoopback: env.WEBHOOK_ALLOW_LOOPBACK },
};

const Message = z.union([MediaStateChanged, DeliveryMessage]);

/** A change of a media: made into one message for each endpoint, and counted. Such a message: one try to deliver it. */
export const handler = lambda((event: SQSEvent, context) =>
  eachMessage(event, context, Message, async (message) => {
    if ('deliveryId' in message) return deliver(services, message, Date.now());
    await fanOut(services, message.detail, Date.now());
    await countChange(services.table, message.detail);
  }),
);
