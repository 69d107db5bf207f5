import { ACCOUNT_ID } from '../../kernel/account.ts';
import { AwsError } from '../../kernel/service.ts';
import type { ServicePlugin } from '../../plugin.ts';
import { arnOf, named } from '../../template/identity.ts';
import { createSqs, type Sqs } from './service.ts';
import { type QueueConfiguration, readQueues } from './template.ts';

export const sqs: ServicePlugin<QueueConfiguration[], Sqs> = {
  name: 'sqs',
  types: {
    'AWS::SQS::Queue': {
      identity: named('QueueName', 80, (name, { endpoint }) => {
        const url = `${endpoint}/${ACCOUNT_ID}/${name}`;
        return { ref: url, attributes: { Arn: arnOf('sqs', name), QueueName: name, QueueUrl: url } };
      }),
      createOnly: ['FifoQueue', 'QueueName'],
      namedBy: 'QueueName',
    },
    'AWS::SQS::QueuePolicy': { isPolicy: true },
  },
  read: readQueues,
  create: async (queues, context) => {
    const made = await createSqs(context, queues, context.adverse);
    return {
      handle: made,
      service: made.service,
      // Those who wait for messages would keep the gateway open.
      clients: { close: () => made.stop(), crash: () => {} },
      state: { close: () => made.close(), crash: () => made.abandon() },
    };
  },
  throttled: ['RequestThrottled', 403],
  denied: (_, reason) => new AwsError('AccessDenied', 403, reason),
  /** Standard queues, for each 64 KB of a request. https://aws.amazon.com/sqs/pricing/ */
  rate: (counted, { sqs }) =>
    counted.startsWith('request:sqs:')
      ? { what: 'SQS requests', unit: 'requests', usdPerUnit: sqs.request }
      : undefined,
};
