import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import type { z } from 'zod';
import { logger } from './observability.ts';

/**
 * Processes each message of an SQS batch, one after the other so that two of one job do not contend, or `atOnce` in parallel. A failed
 * one is retried, and in the end lands in the dead-letter queue; the others are done.
 */
export async function eachMessage<Schema extends z.ZodType>(
  event: SQSEvent,
  context: Context,
  {
    schema,
    work,
    onFailure,
    atOnce = false,
  }: {
    schema: Schema;
    work: (message: z.infer<Schema>, record: SQSRecord) => Promise<void>;
    onFailure?: (record: SQSRecord) => Promise<void>;
    atOnce?: boolean;
  },
): Promise<SQSBatchResponse> {
  const one = async (record: SQSRecord) => {
    try {
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
