import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { allow } from './allow.ts';
import type { HandlerFunction } from './handler-function.ts';

/** Lambda polls `queue` for the function; messages that its answer names as failed come again. */
export function consume(consumer: HandlerFunction, queue: Queue, batchSize: number): EventSourceMapping {
  return new EventSourceMapping(consumer, 'Messages', {
    target: consumer.fn,
    eventSourceArn: queue.queueArn,
    batchSize,
    reportBatchItemFailures: true,
  });
}

/** What Lambda's poller needs of the function's role. https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html */
export function mayConsume(queue: Queue): PolicyStatement {
  return allow('sqs', ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'], queue.queueArn);
}
