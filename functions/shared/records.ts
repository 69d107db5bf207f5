import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { z } from 'zod';
import { logger } from './observability.ts';

/**
 * Processes each message of an SQS batch, one after the other so that two of one job do not contend, or `atOnce` in parallel. A failed
 * one is retried, and in the end lands in the dead-letter queue; the others are done.
 * @param how `longestMs`: what one message may take. With less time left it is not begun and fails: it would be cut off half-way, and all
 * that was done before it would be done again
 */
export async function eachMessage<Schema extends z.ZodType>(
  event: SQSEvent,
  context: Context,
  {
    schema,
    work,
    onFailure,
    atOnce = false,
    longestMs = 0,
  }: {
    schema: Schema;
    work: (message: z.infer<Schema>, record: SQSRecord) => Promise<void>;
    onFailure?: (record: SQSRecord) => Promise<void>;
    atOnce?: boolean;
    longestMs?: number;
  },
): Promise<SQSBatchResponse> {
  const one = async (record: SQSRecord) => {
    try {
      if (context.getRemainingTimeInMillis() < longestMs) throw new Error('Too little time is left to begin it.');
      await work(schema.parse(JSON.parse(record.body)), record);
    } catch (error) {
      const receives = record.attributes.ApproximateReceiveCount;
      logger.error('message failed', { error, messageId: record.messageId, receives, body: record.body });
      await onFailure?.(record);
      throw error;
    }
  };
  return processPartialResponse(event, one, new BatchProcessor(EventType.SQS), {
    context,
    processInParallel: atOnce,
    throwOnFullBatchFailure: false,
  });
}
