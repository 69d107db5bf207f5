import { SQSClient } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { z } from 'zod';
import { DeliverWebhookEnv } from '../../core/contracts/env.ts';
import { DeliveryMessage, PingMessage } from '../../core/contracts/events.ts';
import { tableNamed } from '../shared/clients.ts';
import { environment } from '../shared/environment.ts';
import { lambda } from '../shared/observability.ts';
import { eachMessage } from '../shared/records.ts';
import { deliver } from './deliver.ts';
import { ping } from './ping.ts';

const env = environment(DeliverWebhookEnv);
const services = {
  table: tableNamed(env.TABLE_NAME),
  sqs: new SQSClient({}),
  queueUrl: env.WEBHOOK_QUEUE_URL,
  rules: { allowLoopback: env.WEBHOOK_ALLOW_LOOPBACK },
  atOnce: env.MAX_DELIVERIES_AT_ONCE,
};

const Message = z.union([DeliveryMessage, PingMessage]);

/** Each message is one attempt, or one ping. Those of a batch run in parallel, because an attempt mostly waits for an answer. */
export const handler = lambda((event: SQSEvent, context) =>
  eachMessage(event, context, {
    schema: Message,
    work: (message) =>
      'pingId' in message ? ping(services, message, Date.now()) : deliver(services, message, Date.now()),
    atOnce: true,
  }),
);
