import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';

/** Sends one message, as JSON. */
export async function send(client: SQSClient, queueUrl: string, body: unknown, delaySeconds = 0): Promise<void> {
  await client.send(
    new SendMessageCommand({
      QueueUrl: queueUrl,
      MessageBody: JSON.stringify(body),
      ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
    }),
  );
}

/** SQS's limit of one SendMessageBatch. */
const SEND_BATCH = 10;

/**
 * Sends many.
 * @throws Error when SQS refused one; those before it are sent
 */
export async function sendMany(client: SQSClient, queueUrl: string, bodies: readonly unknown[]): Promise<void> {
  for (let i = 0; i < bodies.length; i += SEND_BATCH) {
    const Entries = bodies
      .slice(i, i + SEND_BATCH)
      .map((body, n) => ({ Id: String(n), MessageBody: JSON.stringify(body) }));
    const { Failed } = await client.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries }));
    const [failed] = Failed ?? [];
    if (failed) throw new Error(`SQS refused a message: ${failed.Code} ${failed.Message ?? ''}`);
  }
}

/** Makes a message that is being processed visible again after `seconds`, instead of after its queue's visibility time-out. */
export async function retryIn(
  client: SQSClient,
  queueUrl: string,
  receiptHandle: string,
  seconds: number,
): Promise<void> {
  await client.send(
    new ChangeMessageVisibilityCommand({
      QueueUrl: queueUrl,
      ReceiptHandle: receiptHandle,
      VisibilityTimeout: seconds,
    }),
  );
}

/** Seconds for which each extension keeps a message invisible: three times the interval of the extensions. */
const HOLD_SECONDS = 180;
const HOLD_EVERY_MS = 60_000;

/**
 * Keeps a message invisible while it is processed: if the process dies, the message is delivered again within minutes, instead of
 * after its queue's visibility time-out.
 * @returns a function that stops the extensions
 */
export function hold(client: SQSClient, queueUrl: string, receiptHandle: string, every = HOLD_EVERY_MS): () => void {
  const extend = () => void retryIn(client, queueUrl, receiptHandle, HOLD_SECONDS).catch(() => {});
  extend();
  const timer = setInterval(extend, every);
  timer.unref();
  return () => clearInterval(timer);
}
