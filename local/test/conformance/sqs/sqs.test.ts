/**
 * SQS as its documentation says. Pages: `api/X` is docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_X.html,
 * `guide/x` is …/SQSDeveloperGuide/x.html.
 */
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ListMessageMoveTasksCommand,
  ListQueuesCommand,
  type Message,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { motoDiffers } from '../target.ts';
import { conformanceQueues, type Name, type Queues } from './queues.ts';

let queues: Queues;
beforeAll(async () => {
  queues = await conformanceQueues();
});
afterAll(() => queues[Symbol.asyncDispose]());

const send = (queue: Name, MessageBody: string, more: object = {}) =>
  queues.client.send(new SendMessageCommand({ QueueUrl: queues.url[queue], MessageBody, ...more }));
const receive = async (queue: Name, more: Partial<ReceiveMessageCommandInput> = {}): Promise<Message[]> => {
  const { Messages } = await queues.client.send(new ReceiveMessageCommand({ QueueUrl: queues.url[queue], ...more }));
  return Messages ?? [];
};
const receiveOne = async (queue: Name, more: Partial<ReceiveMessageCommandInput> = {}): Promise<Message> => {
  const [message] = await receive(queue, { WaitTimeSeconds: 5, ...more });
  if (!message) throw new Error('no message came');
  return message;
};
const attributes = async (queue: Name) =>
  (await queues.client.send(new GetQueueAttributesCommand({ QueueUrl: queues.url[queue], AttributeNames: ['All'] })))
    .Attributes ?? {};
const handleOf = (message: Message | undefined) => message?.ReceiptHandle ?? '';

beforeEach(() => queues.renew());

describe('sending', () => {
  test('api/SendMessage: the answer contains the MD5 of the body and of the attributes', async () => {
    const sent = await send('plain', 'This is a test message', {
      MessageAttributes: { kind: { DataType: 'String', StringValue: 'video' } },
    });
    expect(sent.MD5OfMessageBody).toBe('fafb00f5732ab283681e124bf8747ed1');
    expect(sent.MD5OfMessageAttributes).toMatch(/^[0-9a-f]{32}$/);
    expect(sent.MessageId).toMatch(/^[0-9a-f-]{36}$/);
  });

  motoDiffers('it takes any')(
    'api/SendMessage: a character outside the allowed set is InvalidMessageContents',
    async () => {
      await expect(send('plain', 'a\u0000b')).rejects.toMatchObject({ name: 'InvalidMessageContents' });
    },
  );

  motoDiffers('it takes it')('api/SendMessage: an empty body is refused', async () => {
    await expect(send('plain', '')).rejects.toMatchObject({ name: 'MissingParameter' });
  });

  test('guide/quotas-messages: a body of 1 MiB is accepted, and one more byte is not', async () => {
    await expect(send('plain', 'x'.repeat(1_048_576))).resolves.toHaveProperty('MessageId');
    await expect(send('plain', 'x'.repeat(1_048_577))).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  motoDiffers('it counts the body alone')(
    "api/SetQueueAttributes: the queue's own MaximumMessageSize holds, attributes counted",
    async () => {
      await expect(send('small', 'x'.repeat(1024))).resolves.toHaveProperty('MessageId');
      const MessageAttributes = { k: { DataType: 'String', StringValue: 'v' } };
      await expect(send('small', 'x'.repeat(1020), { MessageAttributes })).rejects.toThrow();
    },
  );

  test('api/SendMessage: DelaySeconds is at most 900', async () => {
    await expect(send('plain', 'x', { DelaySeconds: 901 })).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });

  test('guide/sqs-delay-queues: a message of a delay queue is hidden at first', async () => {
    await send('delayed', 'later');
    expect(await receive('delayed')).toEqual([]);
    expect(await attributes('delayed')).toMatchObject({ ApproximateNumberOfMessagesDelayed: '1' });
    expect((await receiveOne('delayed')).Body).toBe('later');
  });

  test('guide/sqs-message-timers: a message timer overrides the delay of the queue', async () => {
    await send('delayed', 'now', { DelaySeconds: 0 });
    expect((await receive('delayed')).map(({ Body }) => Body)).toEqual(['now']);
  });

  test('api/SendMessage: a queue that does not exist is QueueDoesNotExist', async () => {
    const QueueUrl = queues.url.plain.replace(/[^/]+$/, 'no-such-queue');
    const command = new SendMessageCommand({ QueueUrl, MessageBody: 'x' });
    await expect(queues.client.send(command)).rejects.toMatchObject({ name: 'QueueDoesNotExist' });
  });
});

describe('batches', () => {
  const batch = (queue: Name, Entries: { Id: string; MessageBody: string }[]) =>
    queues.client.send(new SendMessageBatchCommand({ QueueUrl: queues.url[queue], Entries }));
  const entries = (count: number) => Array.from({ length: count }, (_, i) => ({ Id: `e${i}`, MessageBody: `m${i}` }));

  test('api/SendMessageBatch: ten entries are accepted, eleven are TooManyEntriesInBatchRequest', async () => {
    expect((await batch('plain', entries(10))).Successful).toHaveLength(10);
    await expect(batch('plain', entries(11))).rejects.toMatchObject({ name: 'TooManyEntriesInBatchRequest' });
  });

  test('api/SendMessageBatch: a batch without entries is EmptyBatchRequest', async () => {
    await expect(batch('plain', [])).rejects.toMatchObject({ name: 'EmptyBatchRequest' });
  });

  test('api/SendMessageBatch: a repeated id is BatchEntryIdsNotDistinct', async () => {
    const twice = [...entries(1), ...entries(1)];
    await expect(batch('plain', twice)).rejects.toMatchObject({ name: 'BatchEntryIdsNotDistinct' });
  });

  test('api/SendMessageBatch: an id with other characters is InvalidBatchEntryId', async () => {
    const wrong = [{ Id: 'a.b', MessageBody: 'x' }];
    await expect(batch('plain', wrong)).rejects.toMatchObject({ name: 'InvalidBatchEntryId' });
  });

  test('guide/quotas-messages: a batch of more than 1 MiB in total is BatchRequestTooLong', async () => {
    const large = entries(2).map((entry) => ({ ...entry, MessageBody: 'x'.repeat(600_000) }));
    await expect(batch('plain', large)).rejects.toMatchObject({ name: 'BatchRequestTooLong' });
  });

  motoDiffers('it sends both')('api/SendMessageBatch: an invalid entry fails, and the others are sent', async () => {
    const { Successful, Failed } = await batch('plain', [
      { Id: 'good', MessageBody: 'x' },
      { Id: 'bad', MessageBody: 'a\u0000b' },
    ]);
    expect(Successful?.map(({ Id }) => Id)).toEqual(['good']);
    expect(Failed).toMatchObject([{ Id: 'bad', SenderFault: true, Code: 'InvalidMessageContents' }]);
  });

  test('api/DeleteMessageBatch: an invalid handle fails, and the other entries do not', async () => {
    await send('plain', 'x');
    const message = await receiveOne('plain');
    const { Successful, Failed } = await queues.client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: queues.url.plain,
        Entries: [
          { Id: 'good', ReceiptHandle: handleOf(message) },
          { Id: 'bad', ReceiptHandle: 'nonsense' },
        ],
      }),
    );
    expect(Successful).toEqual([{ Id: 'good' }]);
    expect(Failed).toMatchObject([{ Id: 'bad', SenderFault: true, Code: 'ReceiptHandleIsInvalid' }]);
  });

  test('api/ChangeMessageVisibilityBatch: zero makes messages visible at once', async () => {
    await send('plain', 'x');
    const message = await receiveOne('plain');
    const { Successful } = await queues.client.send(
      new ChangeMessageVisibilityBatchCommand({
        QueueUrl: queues.url.plain,
        Entries: [{ Id: 'one', ReceiptHandle: handleOf(message), VisibilityTimeout: 0 }],
      }),
    );
    expect(Successful).toEqual([{ Id: 'one' }]);
    expect(await receive('plain')).toHaveLength(1);
  });
});

describe('receiving', () => {
  test('api/ReceiveMessage: only the requested attributes are returned, with their MD5', async () => {
    await send('plain', 'hello', {
      MessageAttributes: {
        kind: { DataType: 'String', StringValue: 'video' },
        size: { DataType: 'Number', StringValue: '12' },
        raw: { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2, 3]) },
      },
    });
    const bare = await receiveOne('plain', { VisibilityTimeout: 0 });
    expect(bare.MessageAttributes).toBeUndefined();
    expect(bare.Attributes).toBeUndefined();
    expect(bare.MD5OfBody).toBe('5d41402abc4b2a76b9719d911017c592');
    const full = await receiveOne('plain', {
      MessageAttributeNames: ['All'],
      MessageSystemAttributeNames: ['All'],
    });
    expect(full.MessageAttributes?.raw?.BinaryValue).toEqual(new Uint8Array([1, 2, 3]));
    expect(full.MessageAttributes?.size).toEqual({ DataType: 'Number', StringValue: '12' });
    expect(full.Attributes).toMatchObject({ ApproximateReceiveCount: '2' });
    expect(Number(full.Attributes?.SentTimestamp)).toBeGreaterThan(1_700_000_000_000);
    expect(Number(full.Attributes?.ApproximateFirstReceiveTimestamp)).toBeGreaterThan(1_700_000_000_000);
  });

  test('api/ReceiveMessage: attribute names may end in .* for a prefix', async () => {
    await send('plain', 'hello', {
      MessageAttributes: {
        'a.one': { DataType: 'String', StringValue: '1' },
        'b.two': { DataType: 'String', StringValue: '2' },
      },
    });
    const { MessageAttributes } = await receiveOne('plain', { MessageAttributeNames: ['a.*'] });
    expect(Object.keys(MessageAttributes ?? {})).toEqual(['a.one']);
  });

  test('api/ReceiveMessage: a request for more than ten messages, or for none, is refused', async () => {
    await expect(receive('plain', { MaxNumberOfMessages: 11 })).rejects.toThrow();
    await expect(receive('plain', { MaxNumberOfMessages: 0 })).rejects.toThrow();
  });

  test('guide/sqs-short-and-long-polling: a long poll answers as soon as a message arrives', async () => {
    const before = Date.now();
    const waiting = receiveOne('plain', { WaitTimeSeconds: 20 });
    await send('plain', 'at last');
    expect((await waiting).Body).toBe('at last');
    // Not the 20 s of the poll.
    expect(Date.now() - before).toBeLessThan(15_000);
  });

  test('guide/sqs-short-and-long-polling: a long poll answers without messages after its wait time', async () => {
    const before = Date.now();
    expect(await receive('plain', { WaitTimeSeconds: 1 })).toEqual([]);
    expect(Date.now() - before).toBeGreaterThanOrEqual(900);
  });

  test('guide/sqs-visibility-timeout: a received message is hidden, and then received again with another handle', async () => {
    await send('brief', 'x');
    const first = await receiveOne('brief');
    expect(await receive('brief')).toEqual([]);
    expect(await attributes('brief')).toMatchObject({ ApproximateNumberOfMessagesNotVisible: '1' });
    const second = await receiveOne('brief');
    expect(second.MessageId).toBe(first.MessageId);
    expect(second.ReceiptHandle).not.toBe(first.ReceiptHandle);
  });

  motoDiffers('no error')(
    'api/ChangeMessageVisibility: a message that is not in flight is MessageNotInflight',
    async () => {
      await send('plain', 'x');
      const message = await receiveOne('plain', { VisibilityTimeout: 0 });
      const change = new ChangeMessageVisibilityCommand({
        QueueUrl: queues.url.plain,
        ReceiptHandle: handleOf(message),
        VisibilityTimeout: 10,
      });
      await expect(queues.client.send(change)).rejects.toMatchObject({ name: 'MessageNotInflight' });
    },
  );

  test('api/ChangeMessageVisibility: a timeout of more than 12 hours is refused', async () => {
    await send('plain', 'x');
    const change = new ChangeMessageVisibilityCommand({
      QueueUrl: queues.url.plain,
      ReceiptHandle: handleOf(await receiveOne('plain')),
      VisibilityTimeout: 43_201,
    });
    await expect(queues.client.send(change)).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });
});

describe('deleting', () => {
  const remove = (queue: Name, ReceiptHandle: string) =>
    queues.client.send(new DeleteMessageCommand({ QueueUrl: queues.url[queue], ReceiptHandle }));

  test('api/DeleteMessage: a deleted message is not received again, and a second deletion succeeds', async () => {
    await send('plain', 'x');
    const message = await receiveOne('plain', { VisibilityTimeout: 0 });
    await remove('plain', handleOf(message));
    await remove('plain', handleOf(message));
    expect(await receive('plain')).toEqual([]);
  });

  test('api/DeleteMessage: an invalid handle is ReceiptHandleIsInvalid', async () => {
    await expect(remove('plain', 'nonsense')).rejects.toMatchObject({ name: 'ReceiptHandleIsInvalid' });
  });

  test('api/PurgeQueue: a purged queue is empty', async () => {
    await send('small', 'x');
    await queues.client.send(new PurgeQueueCommand({ QueueUrl: queues.url.small }));
    await eventually('empty', async () => (await attributes('small')).ApproximateNumberOfMessages === '0');
  });
});

describe('dead letters', () => {
  const bury = async (body: string) => {
    await send('redriven', body);
    await receiveOne('redriven');
    await receiveOne('redriven');
    expect(await receive('redriven')).toEqual([]);
  };

  motoDiffers('no DeadLetterQueueSourceArn')(
    'guide/sqs-dead-letter-queues: a message received maxReceiveCount times is moved there, and keeps its id and time',
    async () => {
      const { MessageId } = await send('redriven', 'bad');
      const first = await receiveOne('redriven', { MessageSystemAttributeNames: ['SentTimestamp'] });
      await receiveOne('redriven');
      expect(await receive('redriven')).toEqual([]);
      const letter = await receiveOne('dead', { MessageSystemAttributeNames: ['All'] });
      expect(letter).toMatchObject({ Body: 'bad', MessageId });
      expect(letter.Attributes?.SentTimestamp).toBe(first.Attributes?.SentTimestamp);
      expect(letter.Attributes?.DeadLetterQueueSourceArn).toBe(queues.arn.redriven);
    },
  );

  motoDiffers('500: it has no StartMessageMoveTask')(
    'guide/sqs-configure-dead-letter-queue-redrive: a redrive returns dead letters as new messages',
    async () => {
      await bury('again');
      const before = (await receiveOne('dead', { VisibilityTimeout: 0 })).MessageId;
      await queues.client.send(new StartMessageMoveTaskCommand({ SourceArn: queues.arn.dead }));
      const back = await receiveOne('redriven', { MessageSystemAttributeNames: ['All'] });
      expect(back).toMatchObject({ Body: 'again', Attributes: { ApproximateReceiveCount: '1' } });
      expect(back.MessageId).not.toBe(before);
      const task = await eventually('the end of the task', async () => {
        const { Results } = await queues.client.send(new ListMessageMoveTasksCommand({ SourceArn: queues.arn.dead }));
        return Results?.[0]?.Status === 'COMPLETED' && Results[0];
      });
      expect(task).toMatchObject({ SourceArn: queues.arn.dead, ApproximateNumberOfMessagesMoved: 1 });
    },
  );

  test('api/StartMessageMoveTask: a source that is not a dead-letter queue is refused', async () => {
    const start = new StartMessageMoveTaskCommand({ SourceArn: queues.arn.plain });
    await expect(queues.client.send(start)).rejects.toThrow();
  });
});

describe('queues', () => {
  test('api/GetQueueUrl and api/ListQueues: queues are found by name and by prefix', async () => {
    const QueueName = queues.url.plain.slice(queues.url.plain.lastIndexOf('/') + 1);
    const { QueueUrl } = await queues.client.send(new GetQueueUrlCommand({ QueueName }));
    expect(QueueUrl).toBe(queues.url.plain);
    const { QueueUrls } = await queues.client.send(new ListQueuesCommand({ QueueNamePrefix: QueueName }));
    expect(QueueUrls).toEqual([queues.url.plain]);
  });

  test('api/GetQueueAttributes: the redrive policy is JSON text', async () => {
    const { RedrivePolicy } = await attributes('redriven');
    expect(JSON.parse(RedrivePolicy ?? '')).toEqual({ deadLetterTargetArn: queues.arn.dead, maxReceiveCount: 2 });
  });
});
