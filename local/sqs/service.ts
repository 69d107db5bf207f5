import type { Surroundings } from '../account.ts';
import { type Caller, jsonError, jsonResponse, operationOf, readInput } from '../aws-json.ts';
import { AwsError, type Service } from '../service.ts';
import { queryCode } from './errors.ts';
import type { Attributes, Received } from './message.ts';
import { MoveTasks } from './move-tasks.ts';
import { sqsOperations } from './operations.ts';
import type { Queue } from './queue.ts';
import { QueueStore } from './store.ts';
import type { QueueConfiguration } from './template.ts';

export interface Sqs {
  service: Service;
  /** For calls within the process. @throws AwsError, as the operation of that name does */
  send(queueArn: string, body: string, caller: Caller, attributes?: Attributes): Promise<void>;
  /** Checks sqs:ReceiveMessage, then waits up to `wait` ms. */
  receive(queueArn: string, options: ReceiveOptions, caller: Caller): Promise<Received[]>;
  delete(queueArn: string, ids: string[], caller: Caller): Promise<void>;
  queue(arn: string): Queue | undefined;
  /** Ends every wait for messages. */
  stop(): void;
  close(): Promise<void>;
  abandon(): Promise<void>;
}

export interface ReceiveOptions {
  max: number;
  /** Milliseconds. */
  wait: number;
  signal: AbortSignal;
}

/** SQS's standard queues, as the template configures them. */
export async function createSqs(surroundings: Surroundings, queues: QueueConfiguration[]): Promise<Sqs> {
  const store = await QueueStore.open(surroundings, queues);
  const operations = sqsOperations(store, new MoveTasks(store, surroundings.clock));
  const byName = new Map<string, (input: unknown, caller: Caller) => Promise<object>>(Object.entries(operations));

  const service: Service = {
    name: 'sqs',
    operation: ({ headers }) => operationOf(headers),
    async handle(request) {
      const name = operationOf(request.headers);
      if (name === '') {
        throw new AwsError(
          'UnsupportedOperation',
          400,
          'The query protocol of SQS is not served here: use the JSON protocol, as SDKs do since November 2023.',
        );
      }
      const operation = byName.get(name);
      if (!operation) throw new AwsError('UnsupportedOperation', 400, `SQS ${name} is not served locally.`);
      return jsonResponse('1.0', await operation(await readInput(request.body), request));
    },
    renderError(error) {
      const response = jsonError('1.0', error, 'com.amazonaws.sqs#');
      const fault = error.status < 500 ? 'Sender' : 'Receiver';
      return {
        ...response,
        headers: { ...response.headers, 'x-amzn-query-error': `${queryCode(error.code)};${fault}` },
      };
    },
  };

  const authorized = (arn: string, action: string, caller: Caller): Queue => {
    const queue = store.byArn(arn);
    caller.authorize({ action: `sqs:${action}`, resource: arn, resourcePolicy: queue?.configuration.policy });
    if (!queue) throw new AwsError('QueueDoesNotExist', 400, 'The specified queue does not exist.');
    return queue;
  };

  return {
    service,
    async send(queueArn, body, caller, attributes = {}) {
      const url = queueArn.slice(queueArn.lastIndexOf(':') + 1);
      await operations.SendMessage({ QueueUrl: url, MessageBody: body, MessageAttributes: attributes }, caller);
    },
    receive(queueArn, { max, wait, signal }, caller) {
      const queue = authorized(queueArn, 'ReceiveMessage', caller);
      const visibility = queue.configuration.visibilityTimeout * 1000;
      return store.receive(queue, { max, wait, visibility, signal });
    },
    async delete(queueArn, ids, caller) {
      const queue = authorized(queueArn, 'DeleteMessage', caller);
      await Promise.all(ids.map((id) => store.delete(queue, id)));
    },
    queue: (arn) => store.byArn(arn),
    stop: () => store.stop(),
    close: () => store.close(),
    abandon: () => store.abandon(),
  };
}
