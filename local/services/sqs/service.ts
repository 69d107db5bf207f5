import type { ServiceContext } from '../../kernel/account.ts';
import { type Caller, jsonError, jsonResponse, operationOf, readInput } from '../../kernel/aws-json.ts';
import { AwsError, type Service } from '../../kernel/service.ts';
import { TRACE_HEADER } from '../lambda/chain.ts';
import { queryCode } from './errors.ts';
import type { Attributes } from './message.ts';
import { MoveTasks } from './move-tasks.ts';
import { sqsOperations } from './operations.ts';
import { type Disorder, QueueStore } from './store.ts';
import type { QueueConfiguration } from './template.ts';

export interface Sqs {
  service: Service;
  /**
   * For calls inside the process.
   * @throws AwsError like SendMessage
   */
  send(queueArn: string, body: string, caller: Caller, attributes?: Attributes): Promise<void>;
  /** When the message was sent that has been longest in the queue of that name; undefined where there is none, or no such queue. */
  oldestIn(queueName: string): number | undefined;
  /** Ends every wait for messages. */
  stop(): void;
  close(): Promise<void>;
  abandon(): Promise<void>;
}

/** SQS's standard queues, as the template configures them. */
export async function createSqs(
  context: ServiceContext,
  queues: QueueConfiguration[],
  disorder?: Disorder,
): Promise<Sqs> {
  const store = await QueueStore.open(context, queues, disorder);
  const operations = sqsOperations(store, new MoveTasks(store, context.clock));
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
      const response = jsonResponse(
        '1.0',
        await operation(await readInput(request.body), { ...request, trace: request.headers[TRACE_HEADER] }),
      );
      // Else the connection of a waiting client would be kept open while the cloud closes.
      if (!store.isStopped) return response;
      return { ...response, headers: { ...response.headers, connection: 'close' } };
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

  return {
    service,
    async send(queueArn, body, caller, attributes = {}) {
      const url = queueArn.slice(queueArn.lastIndexOf(':') + 1);
      await operations.SendMessage({ QueueUrl: url, MessageBody: body, MessageAttributes: attributes }, caller);
    },
    oldestIn: (queueName) => [...store.queues].find(({ arn }) => arn.endsWith(`:${queueName}`))?.oldestSentAt(),
    stop: () => store.stop(),
    close: () => store.close(),
    abandon: () => store.abandon(),
  };
}
