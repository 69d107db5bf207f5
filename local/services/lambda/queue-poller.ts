import {
  DeleteMessageBatchCommand,
  type Message,
  MessageSystemAttributeName,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { type Credentials, REGION } from '../../kernel/account.ts';
import type { Clock } from '../../kernel/clock.ts';
import { AwsError } from '../../kernel/service.ts';
import { failedIdentifiers } from './partial-failures.ts';
import type { InvocationOutcome } from './sandbox.ts';
import type { MappingConfiguration } from './template.ts';

export interface QueuePollerOptions {
  mapping: MappingConfiguration;
  queueUrl: string;
  endpoint: string;
  /** Credentials of the function's role: Lambda polls with its permissions. */
  credentials: Credentials;
  /** @throws AwsError TooManyRequestsException */
  invoke: (event: unknown, traces: readonly string[]) => Promise<InvocationOutcome>;
  /** Maximum of concurrent batches. */
  limit: number;
  /** Visibility timeout of a received message. */
  visibilityMs: number;
  clock: Clock;
  log: (line: string) => void;
}

export interface Poller {
  /** Whether it holds messages, while it gathers a batch and until the batch is processed. */
  isBusy(): boolean;
  close(): Promise<void>;
}

/** SQS returns at most 10 messages a call. */
const MAX_RECEIVE = 10;
/** Maximum wait of a call. */
const MAX_WAIT_SECONDS = 20;
const BACKOFF_MS = 1000;
/** Waits while the function is throttled, doubled from the first to the longest. */
const FIRST_THROTTLE_MS = 200;
const LONGEST_THROTTLE_MS = 5000;

/**
 * Lambda's poller of a queue. Messages of a failed batch, or those that the answer names, are received again after their visibility
 * timeout. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
 */
export function pollQueue(options: QueuePollerOptions): Poller {
  const { mapping, queueUrl, log } = options;
  const client = new SQSClient({
    endpoint: options.endpoint,
    region: REGION,
    credentials: options.credentials,
    maxAttempts: 1,
  });
  const stop = new AbortController();
  const atWork = new Set<Promise<void>>();
  let gathered = 0;

  /**
   * A throttled batch is retried until its messages become visible again, which counts as a receive; undefined: it was given up.
   * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-backoff-strategy
   */
  async function invoke(messages: Message[]): Promise<InvocationOutcome | undefined> {
    const visibleAt = options.clock.now() + options.visibilityMs;
    const event = { Records: messages.map((message) => recordOf(message, mapping.sourceArn)) };
    const traces = messages.flatMap(({ Attributes }) => Attributes?.AWSTraceHeader ?? []);
    for (let pause = FIRST_THROTTLE_MS; ; pause = Math.min(2 * pause, LONGEST_THROTTLE_MS)) {
      try {
        return await options.invoke(event, traces);
      } catch (error) {
        if (!(error instanceof AwsError && error.code === 'TooManyRequestsException')) throw error;
        if (stop.signal.aborted || options.clock.now() + pause >= visibleAt) return undefined;
        await new Promise<void>((resolve) => void options.clock.after(pause, resolve));
      }
    }
  }

  async function handle(messages: Message[]): Promise<void> {
    const outcome = await invoke(messages);
    if (!outcome?.ok) return;
    const failed = mapping.reportsFailures ? failedIdentifiers(outcome.payload) : new Set<string>();
    if (failed === 'all') return;
    const done = messages.filter(({ MessageId }) => !failed.has(MessageId ?? ''));
    for (let i = 0; i < done.length; i += MAX_RECEIVE) {
      // Not by message id: a message that was received twice within one window is in its batch twice, and entry ids must differ.
      const entries = done
        .slice(i, i + MAX_RECEIVE)
        .map(({ ReceiptHandle }, entry) => ({ Id: String(entry), ReceiptHandle }));
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

  /** The window uses the cloud's clock, like the visibility of the gathered messages: advancing the clock ends both. */
  async function gather(): Promise<Message[]> {
    const { clock } = options;
    const batch = await receive(mapping.batchSize, MAX_WAIT_SECONDS);
    gathered = batch.length;
    const until = clock.now() + mapping.windowSeconds * 1000;
    while (batch.length > 0 && batch.length < mapping.batchSize && clock.now() < until) {
      const left = Math.ceil((until - clock.now()) / 1000);
      batch.push(...(await receive(mapping.batchSize - batch.length, Math.min(left, MAX_WAIT_SECONDS))));
    }
    return batch;
  }

  async function loop(): Promise<void> {
    while (!stop.signal.aborted) {
      if (atWork.size >= options.limit) {
        await Promise.race(atWork);
        continue;
      }
      try {
        const messages = await gather();
        if (messages.length === 0) continue;
        const work = handle(messages).catch((error) => log(`lambda: ${mapping.id}: ${String(error)}`));
        atWork.add(work);
        gathered = 0;
        void work.then(() => atWork.delete(work));
      } catch (error) {
        if (stop.signal.aborted) break;
        gathered = 0;
        log(`lambda: ${mapping.id}: polling ${queueUrl}: ${String(error)}`);
        await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS));
      }
    }
  }

  const looping = loop();
  return {
    isBusy: () => gathered > 0 || atWork.size > 0,
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
