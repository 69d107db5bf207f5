/** Lambda's polling of SQS, as docs.aws.amazon.com/lambda/latest/dg/with-sqs.html and the pages under it say. */
import { writeFile } from 'node:fs/promises';
import {
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { fn, POLL, RECORDER, role, type SmallCloud, smallCloud } from '../../support/small-cloud.ts';
import { oursOnly } from '../target.ts';

oursOnly('what a function was given is read from its files');

const arn = (id: string) => ({ 'Fn::GetAtt': [id, 'Arn'] });

function mapped(changes: { queue?: object; mapping?: object; fn?: object; source?: string; actions?: string[] } = {}) {
  return {
    functions: { recorder: changes.source ?? RECORDER },
    outputs: { Url: { Value: { Ref: 'Queue' } }, Dead: { Value: { Ref: 'Dead' } } },
    resources: {
      Dead: { Type: 'AWS::SQS::Queue' },
      Queue: {
        Type: 'AWS::SQS::Queue',
        Properties: {
          VisibilityTimeout: 3,
          RedrivePolicy: { deadLetterTargetArn: arn('Dead'), maxReceiveCount: 2 },
          ...changes.queue,
        },
      },
      Role: role(...(changes.actions ?? POLL)),
      Function: fn('recorder', 'Role', { Timeout: 2, ...changes.fn }),
      Mapping: {
        Type: 'AWS::Lambda::EventSourceMapping',
        Properties: {
          FunctionName: { Ref: 'Function' },
          EventSourceArn: arn('Queue'),
          FunctionResponseTypes: ['ReportBatchItemFailures'],
          ...changes.mapping,
        },
      },
    },
  };
}

interface Batch {
  Records: { messageId: string; body: string; attributes: Record<string, string> }[];
}
const bodies = (batches: unknown[]) => (batches as Batch[]).map(({ Records }) => Records.map(({ body }) => body));
const send = (small: SmallCloud, MessageBody: string, more: object = {}) =>
  small.sqs.send(new SendMessageCommand({ QueueUrl: small.cloud.outputs.Url, MessageBody, ...more }));
const sendAll = (small: SmallCloud, all: string[]) =>
  small.sqs.send(
    new SendMessageBatchCommand({
      QueueUrl: small.cloud.outputs.Url,
      Entries: all.map((MessageBody, i) => ({ Id: String(i), MessageBody })),
    }),
  );
const countsOf = async (small: SmallCloud) => {
  const { Attributes } = await small.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: small.cloud.outputs.Url, AttributeNames: ['All'] }),
  );
  const { ApproximateNumberOfMessages, ApproximateNumberOfMessagesNotVisible } = Attributes ?? {};
  return { visible: ApproximateNumberOfMessages, inFlight: ApproximateNumberOfMessagesNotVisible };
};
const isEmpty = async (small: SmallCloud) => {
  const { visible, inFlight } = await countsOf(small);
  return visible === '0' && inFlight === '0';
};
const batches = (small: SmallCloud, count: number) =>
  eventually(`${count} batches`, async () => {
    const written = await small.written();
    return written.length >= count && written;
  });

test('with-sqs: a record contains the message, its attributes and the queue', async () => {
  await using small = await smallCloud(mapped());
  const { MessageId, MD5OfMessageBody } = await send(small, 'hello', {
    MessageAttributes: { kind: { DataType: 'String', StringValue: 'video' } },
  });
  const [event] = (await batches(small, 1)) as Batch[];
  expect(event?.Records).toEqual([
    {
      messageId: MessageId,
      receiptHandle: expect.stringMatching(/.+/),
      body: 'hello',
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: expect.stringMatching(/^\d{13}$/),
        SenderId: '123456789012',
        ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
      },
      messageAttributes: {
        kind: { stringValue: 'video', stringListValues: [], binaryListValues: [], dataType: 'String' },
      },
      md5OfBody: MD5OfMessageBody,
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:small-queue',
      awsRegion: 'us-east-1',
    },
  ]);
  await eventually('the deletion', () => isEmpty(small));
});

describe('services-sqs-errorhandling', () => {
  test('only the messages that the answer names are received again, and then moved to the dead-letter queue', async () => {
    await using small = await smallCloud(mapped({ mapping: { MaximumBatchingWindowInSeconds: 1 } }));
    await sendAll(small, ['good', '{"fail":true}']);
    const seen = bodies(await batches(small, 2));
    expect(seen[0]?.sort()).toEqual(['good', '{"fail":true}']);
    expect(seen[1]).toEqual(['{"fail":true}']);
    const { Messages } = await small.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: small.cloud.outputs.Dead, WaitTimeSeconds: 10 }),
    );
    expect(Messages?.map(({ Body }) => Body)).toEqual(['{"fail":true}']);
    expect(await small.written()).toHaveLength(2);
  });

  test('a function that throws receives its whole batch again after the visibility timeout', async () => {
    const source = `${RECORDER.replace('if (event.throw)', 'if (event.Records[0].attributes.ApproximateReceiveCount === "1")')}`;
    await using small = await smallCloud(mapped({ source }));
    await send(small, 'x');
    const [first, second] = (await batches(small, 2)) as Batch[];
    expect(second?.Records[0]?.messageId).toBe(first?.Records[0]?.messageId);
    expect(second?.Records[0]?.attributes.ApproximateReceiveCount).toBe('2');
    await eventually('the deletion', () => isEmpty(small));
  });

  test('a function that exceeds its timeout receives its batch again', async () => {
    const source = RECORDER.replace(
      'if (event.throw)',
      'await new Promise((done) => setTimeout(done, 60_000)); if (event.throw)',
    );
    await using small = await smallCloud(mapped({ source, fn: { Timeout: 1 } }));
    await send(small, 'x');
    await batches(small, 2);
    expect(small.log.join('\n')).toContain('Task timed out after 1.00 seconds');
  });

  test('an answer with a wrong key fails the whole batch', async () => {
    const source = RECORDER.replace('({ itemIdentifier: messageId })', '({ messageId })');
    await using small = await smallCloud(mapped({ source }));
    await send(small, '{"fail":true}');
    expect(bodies(await batches(small, 2))).toEqual([['{"fail":true}'], ['{"fail":true}']]);
  });

  test('without ReportBatchItemFailures the answer does not matter', async () => {
    await using small = await smallCloud(mapped({ mapping: { FunctionResponseTypes: [] } }));
    await send(small, '{"fail":true}');
    await eventually('the deletion', async () => (await small.written()).length === 1 && isEmpty(small));
  });
});

describe('services-sqs-scaling, services-sqs-configure', () => {
  test('a batch has at most BatchSize messages', async () => {
    await using small = await smallCloud(mapped({ mapping: { BatchSize: 3 } }));
    await sendAll(small, ['1', '2', '3', '4', '5', '6', '7']);
    const all = await eventually('all messages', async () => {
      const seen = bodies(await small.written());
      return seen.flat().length === 7 && seen;
    });
    expect(Math.max(...all.map((one) => one.length))).toBeLessThanOrEqual(3);
    expect(all.flat().sort()).toEqual(['1', '2', '3', '4', '5', '6', '7']);
  });

  test('a batch larger than 10 is gathered within its window', async () => {
    await using small = await smallCloud(
      mapped({ mapping: { BatchSize: 15, MaximumBatchingWindowInSeconds: 5 }, queue: { VisibilityTimeout: 30 } }),
    );
    const all = Array.from({ length: 15 }, (_, i) => String(i));
    await sendAll(small, all.slice(0, 10));
    await sendAll(small, all.slice(10));
    expect((bodies(await batches(small, 1))[0] ?? []).sort()).toEqual([...all].sort());
  });

  test('a window ends when the clock is advanced, and its messages have been received once', async () => {
    await using small = await smallCloud(
      mapped({ mapping: { BatchSize: 15, MaximumBatchingWindowInSeconds: 300 }, queue: { VisibilityTimeout: 900 } }),
    );
    await send(small, 'x');
    await eventually('it is gathered', async () => (await countsOf(small)).inFlight === '1');
    small.cloud.clock.advance(301_000);
    const [batch] = (await batches(small, 1)) as Batch[];
    expect(batch?.Records.map(({ attributes }) => attributes.ApproximateReceiveCount)).toEqual(['1']);
  });

  test('a message that is received twice within a window is deleted after one batch', async () => {
    await using small = await smallCloud(
      mapped({ mapping: { BatchSize: 15, MaximumBatchingWindowInSeconds: 300 }, queue: { VisibilityTimeout: 200 } }),
    );
    await send(small, 'x');
    await eventually('it is gathered', async () => (await countsOf(small)).inFlight === '1');
    // It comes into sight again while its window is open.
    small.cloud.clock.advance(201_000);
    await eventually('it is gathered again', async () => (await countsOf(small)).inFlight === '1');
    // A second at a time, because a call on its way waits as long again as it was told before.
    const written = await eventually('the batch', async () => {
      small.cloud.clock.advance(1000);
      const seen = await small.written();
      return seen.length > 0 && seen;
    });
    expect(bodies(written)[0]).toEqual(['x', 'x']);
    await eventually('the deletion', () => isEmpty(small));
  });

  test('no more than MaximumConcurrency invocations run at once', async () => {
    const source = `
      import { appendFileSync } from 'node:fs';
      export const handler = async () => {
        appendFileSync(process.env.OUT, '1\\n');
        await new Promise((done) => setTimeout(done, 300));
        appendFileSync(process.env.OUT, '-1\\n');
      };`;
    await using small = await smallCloud(
      mapped({ source, mapping: { BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } } }),
    );
    await sendAll(small, ['1', '2', '3', '4', '5']);
    const steps = (await batches(small, 10)) as number[];
    let atOnce = 0;
    const levels = steps.map((step) => (atOnce += step));
    expect(Math.max(...levels)).toBe(2);
  });

  test("services-sqs-configure: a function's role that may not poll is refused at boot", async () => {
    await expect(smallCloud(mapped({ actions: ['sqs:ReceiveMessage'] }))).rejects.toThrow(
      /the role of small-function does not have permissions to call sqs:DeleteMessage on arn:aws:sqs:us-east-1:123456789012:small-queue/,
    );
  });

  test("services-sqs-configure: a queue's visibility timeout shorter than the function's is refused at boot", async () => {
    await expect(smallCloud(mapped({ fn: { Timeout: 10 } }))).rejects.toThrow(
      'Queue visibility timeout: 3 seconds is less than Function timeout: 10 seconds',
    );
  });
});

test('SQSDeveloperGuide, sqs-visibility-timeout: messages in work during a crash are received again after it', async () => {
  const source = RECORDER.replace(
    'if (event.throw)',
    'if ((await import("node:fs")).existsSync(process.env.OUT + ".go") === false) await new Promise(() => setTimeout(() => {}, 60_000)); if (event.throw)',
  );
  await using small = await smallCloud(mapped({ source, queue: { VisibilityTimeout: 900 }, fn: { Timeout: 600 } }));
  await send(small, 'x');
  await batches(small, 1);
  await writeFile(`${small.directory}/out.jsonl.go`, '');
  await small.crashAndRestart();
  expect(bodies(await batches(small, 2))).toEqual([['x'], ['x']]);
  await eventually('the deletion', () => isEmpty(small));
});
