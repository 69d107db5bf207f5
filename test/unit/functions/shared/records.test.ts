import type { Context, SQSEvent } from 'aws-lambda';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { eachMessage } from '../../../../functions/shared/records.ts';

// Read when the logger is made, before any other line here.
vi.hoisted(() => {
  process.env.POWERTOOLS_LOG_LEVEL = 'SILENT';
});

it('a message that may take longer than what is left of the run is not begun, and comes again', async () => {
  const Records = ['a', 'b', 'c'].map((messageId) => ({
    ...{ messageId, receiptHandle: 'r', body: JSON.stringify(messageId), attributes: { ApproximateReceiveCount: '1' } },
    ...{
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:q',
      awsRegion: 'us-east-1',
    },
  }));
  let left = 30_000;
  const begun: string[] = [];
  const context = { getRemainingTimeInMillis: () => left } as Context;
  const answer = await eachMessage({ Records } as unknown as SQSEvent, context, {
    schema: z.string(),
    work: async (message) => {
      begun.push(message);
      left -= 5000;
    },
    longestMs: 22_000,
  });
  expect(begun).toEqual(['a', 'b']);
  expect(answer.batchItemFailures).toEqual([{ itemIdentifier: 'c' }]);
});
