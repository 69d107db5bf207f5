import { stat } from 'node:fs/promises';
import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { md5OfAttributes } from '../../../services/sqs/message.ts';
import { type SmallCloud, smallCloud } from '../../support/small-cloud.ts';

const MINUTE = 60_000;
let small: SmallCloud;
beforeEach(async () => {
  small = await smallCloud({
    outputs: { Url: { Value: { Ref: 'Queue' } }, Other: { Value: { Ref: 'Other' } } },
    resources: {
      Other: { Type: 'AWS::SQS::Queue' },
      Queue: { Type: 'AWS::SQS::Queue', Properties: { MessageRetentionPeriod: 60, VisibilityTimeout: 600 } },
    },
  });
});
afterEach(() => small[Symbol.asyncDispose]());

const queue = () => ({ QueueUrl: small.cloud.outputs.Url });
const send = (MessageBody: string, DelaySeconds?: number) =>
  small.sqs.send(new SendMessageCommand({ ...queue(), MessageBody, DelaySeconds }));
const receive = async () => {
  const { Messages = [] } = await small.sqs.send(
    new ReceiveMessageCommand({ ...queue(), MessageSystemAttributeNames: ['ApproximateReceiveCount'] }),
  );
  return Messages;
};

// The digest is the one that moto's tests hold, and AWS answered: https://github.com/getmoto/moto, tests/test_sqs
test('the MD5 of attributes is computed as on AWS', () => {
  expect(md5OfAttributes({ timestamp: { DataType: 'Number', StringValue: '1493147359900' } })).toBe(
    '235c5c510d26fb653d073faed50ae77c',
  );
});

describe('the time of a message', () => {
  test('that is past its retention removes it', async () => {
    await send('x');
    small.cloud.clock.advance(MINUTE + 1000);
    expect(await receive()).toEqual([]);
    const { Attributes } = await small.sqs.send(
      new GetQueueAttributesCommand({ ...queue(), AttributeNames: ['ApproximateNumberOfMessages'] }),
    );
    expect(Attributes).toEqual({ ApproximateNumberOfMessages: '0' });
  });

  test('that its delay takes is measured by the clock', async () => {
    await send('x', 30);
    expect(await receive()).toEqual([]);
    small.cloud.clock.advance(30_000);
    expect(await receive()).toHaveLength(1);
  });
});

/** Writes so much that the journal is compacted. */
async function outgrow(): Promise<void> {
  const other = { QueueUrl: small.cloud.outputs.Other };
  const large = 'x'.repeat(600_000);
  for (let i = 0; i < 2; i++) await small.sqs.send(new SendMessageCommand({ ...other, MessageBody: large }));
  await small.sqs.send(new PurgeQueueCommand(other));
  expect((await stat(`${small.directory}/state/sqs/messages.journal`)).size).toBeLessThan(10_000);
}

describe.each([
  ['over a crash', async () => {}],
  ['over a compaction of the journal and a crash', outgrow],
])('%s', (_, meanwhile) => {
  test('a delay continues', async () => {
    await send('x', 30);
    await meanwhile();
    await small.crashAndRestart();
    expect(await receive()).toEqual([]);
    small.cloud.clock.advance(30_000);
    expect(await receive()).toHaveLength(1);
  });

  test('the count of receives continues, and messages of a lost consumer are visible at once', async () => {
    await send('x');
    await receive();
    await meanwhile();
    await small.cloud.close();
    await small.crashAndRestart();
    expect((await receive())[0]?.Attributes).toEqual({ ApproximateReceiveCount: '2' });
  });

  test('a visibility timeout that a consumer has set stays', async () => {
    await send('x');
    const [message] = await receive();
    await small.sqs.send(
      new ChangeMessageVisibilityCommand({
        ...queue(),
        ReceiptHandle: message?.ReceiptHandle,
        VisibilityTimeout: 30,
      }),
    );
    await meanwhile();
    await small.crashAndRestart();
    expect(await receive()).toEqual([]);
    small.cloud.clock.advance(30_000);
    expect(await receive()).toHaveLength(1);
  });
});

test('a long poll does not keep the cloud from closing', async () => {
  const waiting = small.sqs.send(new ReceiveMessageCommand({ ...queue(), WaitTimeSeconds: 20 }));
  // A request that is answered after it shows that the first has arrived.
  await small.sqs.send(new GetQueueAttributesCommand(queue()));
  const before = Date.now();
  await small.cloud.close();
  // Not the 20 s of the poll.
  expect(Date.now() - before).toBeLessThan(15_000);
  await expect(waiting).resolves.toMatchObject({ $metadata: { httpStatusCode: 200 } });
});
