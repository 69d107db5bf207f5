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

/** Sends many. Throws when SQS refused one; those before it are sent. */
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

/** Lets a message that is being worked on come again after `seconds`, instead of when its queue's visibility time-out ends. */
export async function comeAgain(
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
