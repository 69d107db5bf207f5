import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { md5OfAttributes } from '../../../../local/sqs/message.ts';
import { type SmallCloud, smallCloud } from '../../../helpers/small-cloud.ts';

const MINUTE = 60_000;
let small: SmallCloud;
beforeEach(async () => {
  small = await smallCloud({
    outputs: { Url: { Value: { Ref: 'Queue' } } },
    resources: {
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
test('the MD5 of attributes is that of AWS', () => {
  expect(md5OfAttributes({ timestamp: { DataType: 'Number', StringValue: '1493147359900' } })).toBe(
    '235c5c510d26fb653d073faed50ae77c',
  );
});

describe('time', () => {
  test('a message is gone after its retention', async () => {
    await send('x');
    small.cloud.clock.advance(MINUTE + 1000);
    expect(await receive()).toEqual([]);
    const { Attributes } = await small.sqs.send(
      new GetQueueAttributesCommand({ ...queue(), AttributeNames: ['ApproximateNumberOfMessages'] }),
    );
    expect(Attributes).toEqual({ ApproximateNumberOfMessages: '0' });
  });

  test('a delay goes by with the clock', async () => {
    await send('x', 30);
    expect(await receive()).toEqual([]);
    small.cloud.clock.advance(30_000);
    expect(await receive()).toHaveLength(1);
  });
});

describe('over a crash', () => {
  test('a delay goes on', async () => {
    await send('x', 30);
    await small.crashAndRestart();
    expect(await receive()).toEqual([]);
    small.cloud.clock.advance(30_000);
    expect(await receive()).toHaveLength(1);
  });

  test('the count of receives goes on, and the lost consumer keeps nobody waiting', async () => {
    await send('x');
    await receive();
    await small.cloud.close();
    await small.crashAndRestart();
    expect((await receive())[0]?.Attributes).toEqual({ ApproximateReceiveCount: '2' });
  });

  test('a visibility that a consumer has set holds', async () => {
    await send('x');
    const [message] = await receive();
    await small.sqs.send(
      new ChangeMessageVisibilityCommand({
        ...queue(),
        ReceiptHandle: message?.ReceiptHandle,
        VisibilityTimeout: 30,
      }),
    );
    await small.crashAndRestart();
    expect(await receive()).toEqual([]);
    small.cloud.clock.advance(30_000);
    expect(await receive()).toHaveLength(1);
  });
});

test('who waits for messages does not keep the cloud from closing', async () => {
  const waiting = small.sqs.send(new ReceiveMessageCommand({ ...queue(), WaitTimeSeconds: 20 }));
  // A request that is answered after it shows that the first has arrived.
  await small.sqs.send(new GetQueueAttributesCommand(queue()));
  const before = Date.now();
  await small.cloud.close();
  expect(Date.now() - before).toBeLessThan(3000);
  await expect(waiting).resolves.toMatchObject({ $metadata: { httpStatusCode: 200 } });
});
