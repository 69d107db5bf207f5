import {
  DeleteMessageBatchCommand,
  type Message,
  MessageSystemAttributeName,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type Credentials, REGION } from '../account.ts';
import { failedIdentifiers } from './partial-failures.ts';
import type { Outcome } from './sandbox.ts';
import type { MappingConfiguration } from './template.ts';

export interface QueuePollerOptions {
  mapping: MappingConfiguration;
  queueUrl: string;
  endpoint: string;
  /** Of the function's role: Lambda polls with its permissions. */
  credentials: Credentials;
  invoke: (event: unknown) => Promise<Outcome>;
  concurrency: number;
  log: (line: string) => void;
}

/** SQS hands out at most 10 messages a call. */
const MAX_RECEIVE = 10;
const BACKOFF_MS = 1000;

/**
 * Lambda's poller of a queue. Messages of a failed batch, or those that the answer names, are left to their visibility
 * timeout and so come again. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function pollQueue(options: QueuePollerOptions): { close(): Promise<void> } {
  const { mapping, queueUrl, log } = options;
  const client = new SQSClient({
    endpoint: options.endpoint,
    region: REGION,
    credentials: options.credentials,
    maxAttempts: 1,
  });
  const stop = new AbortController();
  const atWork = new Set<Promise<void>>();
  const limit = Math.min(options.concurrency, mapping.maximumConcurrency ?? options.concurrency);

  async function handle(messages: Message[]): Promise<void> {
    const outcome = await options.invoke({ Records: messages.map((message) => recordOf(message, mapping.sourceArn)) });
    if (!outcome.ok) return;
    const failed = mapping.reportsFailures ? failedIdentifiers(outcome.payload) : new Set<string>();
    if (failed === 'all') return;
    const done = messages.filter(({ MessageId }) => !failed.has(MessageId ?? ''));
    for (let i = 0; i < done.length; i += MAX_RECEIVE) {
      const entries = done
        .slice(i, i + MAX_RECEIVE)
        .map(({ MessageId, ReceiptHandle }) => ({ Id: MessageId ?? '', ReceiptHandle }));
      await client.send(new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries: entries }));
    }
  }

  async function receive(count: number, waitSeconds: number): Promise<Message[]> {
    const { Messages: messages } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: Math.min(MAX_RECEIVE, count),
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: [MessageSystemAttributeName.All],
        MessageAttributeNames: ['All'],
      }),
      { abortSignal: stop.signal },
    );
    return messages ?? [];
  }

  async function gather(): Promise<Message[]> {
    const batch = await receive(mapping.batchSize, 20);
    const until = Date.now() + mapping.windowSeconds * 1000;
    while (batch.length > 0 && batch.length < mapping.batchSize && Date.now() < until) {
      const more = await receive(mapping.batchSize - batch.length, Math.ceil((until - Date.now()) / 1000));
      batch.push(...more);
    }
    return batch;
  }

  async function loop(): Promise<void> {
    while (!stop.signal.aborted) {
      if (atWork.size >= limit) {
        await Promise.race(atWork);
        continue;
      }
      try {
        const messages = await gather();
        if (messages.length === 0) continue;
        const work = handle(messages).catch((error) => log(`lambda: ${mapping.id}: ${String(error)}`));
        atWork.add(work);
        void work.then(() => atWork.delete(work));
      } catch (error) {
        if (stop.signal.aborted) break;
        log(`lambda: ${mapping.id}: polling ${queueUrl}: ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS));
      }
    }
  }

  const looping = loop();
  return {
    close: async () => {
      stop.abort();
      await looping;
      await Promise.all(atWork);
      client.destroy();
    },
  };
}

function recordOf(message: Message, sourceArn: string) {
  const attributes = Object.entries(message.MessageAttributes ?? {}).map(([name, attribute]) => [
    name,
    {
      dataType: attribute.DataType,
      ...(attribute.StringValue !== undefined && { stringValue: attribute.StringValue }),
      ...(attribute.BinaryValue && { binaryValue: Buffer.from(attribute.BinaryValue).toString('base64') }),
      stringListValues: [],
      binaryListValues: [],
    },
  ]);
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: Object.fromEntries(attributes),
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: sourceArn,
    awsRegion: REGION,
  };
}
