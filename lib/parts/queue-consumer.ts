import type { Duration } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { allow } from './allow.ts';
import type { HandlerFunction } from './handler-function.ts';

export interface ConsumeOptions {
  batchSize: number;
  /**
   * How many of the function's executions for this queue may run at once: 2 to 1,000. Without it Lambda uses all executions of the
   * account, of which a fresh one has 10. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
   */
  maxConcurrency: number;
  /** How long Lambda gathers a batch; more than 10 messages need 1 s at least. */
  window?: Duration;
}

/** Lambda polls `queue` for the function; messages that its answer names as failed are retried. */
export function consume(
  consumer: HandlerFunction,
  queue: Queue,
  { batchSize, maxConcurrency, window }: ConsumeOptions,
): EventSourceMapping {
  return new EventSourceMapping(consumer, 'Messages', {
    target: consumer.fn,
    eventSourceArn: queue.queueArn,
    batchSize,
    maxConcurrency,
    ...(window && { maxBatchingWindow: window }),
    reportBatchItemFailures: true,
  });
}

/**
 * The permissions that Lambda's poller needs in the function's role.
 * https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
 */
export function mayConsume(queue: Queue): PolicyStatement {
  return allow('sqs', ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'], queue.queueArn);
}
