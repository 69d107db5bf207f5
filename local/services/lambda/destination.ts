import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type Credentials, REGION } from '../../kernel/account.ts';
import type { Condition, QueuedEvent } from './event-queue.ts';

/** A queue that receives records of a function's failures. */
export interface Destination {
  queueUrl: string;
  endpoint: string;
  /** Credentials of the function's role. */
  credentials: Credentials;
}

export async function tell({ queueUrl, endpoint, credentials }: Destination, details: object): Promise<void> {
  const client = new SQSClient({ endpoint, region: REGION, credentials });
  try {
    await client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: JSON.stringify(details) }));
  } finally {
    client.destroy();
  }
}

/**
 * The record for the destination of an event that was given up. If the event was too old before its first attempt, there is no response.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 * @param time ISO 8601
 */
export function invocationRecord(event: QueuedEvent, condition: Condition, time: string): object {
  const { requestId, functionArn, payload, errors } = event;
  const error = errors.at(-1);
  return {
    version: '1.0',
    timestamp: time,
    requestContext: {
      requestId,
      functionArn: `${functionArn}:$LATEST`,
      condition,
      approximateInvokeCount: errors.length,
    },
    requestPayload: JSON.parse(payload),
    ...(error && {
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      responsePayload: error,
    }),
  };
}
