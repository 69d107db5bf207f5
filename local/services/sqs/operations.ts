import { ACCOUNT_ID, REGION } from '../../kernel/account.ts';
import type { Caller } from '../../kernel/aws-json.ts';
import { AwsError, type Principal } from '../../kernel/service.ts';
import { invalidHandle, queueDoesNotExist } from './errors.ts';
import * as inputs from './inputs.ts';
import { checkBatch, checkMessage, checkRange, MAX_BATCH_BYTES } from './limits.ts';
import { type Attributes, md5, md5OfAttributes, parseReceiptHandle, type Received, sizeOf } from './message.ts';
import type { MoveTasks } from './move-tasks.ts';
import type { Queue } from './queue.ts';
import type { QueueStore } from './store.ts';

const MAX_VISIBILITY_SECONDS = 43_200;

/** Defaults of a queue that CreateQueue creates. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html */
const DEFAULTS = {
  visibilityTimeout: 30,
  delay: 0,
  retention: 345_600,
  receiveWait: 0,
  maxMessageSize: 1_048_576,
};

/** The operations of SQS, by name. Inputs and outputs are those of the JSON protocol. */
export function sqsOperations(store: QueueStore, moveTasks: MoveTasks) {
  const queueFor = (url: string, caller: Caller, action: string): Queue => {
    // The port may change between runs; account and name identify the queue.
    const name = url.slice(url.lastIndexOf('/') + 1);
    return queueByArn(`arn:aws:sqs:${REGION}:${ACCOUNT_ID}:${name}`, caller, action);
  };
  const queueByArn = (arn: string, caller: Caller, action: string): Queue => {
    const queue = store.byArn(arn);
    caller.authorize({ action: `sqs:${action}`, resource: arn, resourcePolicy: queue?.configuration.policy });
    if (!queue) throw queueDoesNotExist();
    return queue;
  };

  const send = async (queue: Queue, sent: inputs.Sent, caller: Caller) => {
    checkMessage(sent.MessageBody, sent.MessageAttributes, queue.configuration.maxMessageSize);
    const delay = checkRange('DelaySeconds', sent.DelaySeconds ?? queue.configuration.delay, 0, 900);
    const MessageId = await store.send(queue, {
      body: sent.MessageBody,
      attributes: sent.MessageAttributes,
      sender: senderId(caller.principal),
      delay: delay * 1000,
      trace: sent.MessageSystemAttributes.AWSTraceHeader?.StringValue ?? caller.trace,
    });
    const MD5OfMessageAttributes = md5OfAttributes(sent.MessageAttributes);
    return {
      MessageId,
      MD5OfMessageBody: md5(sent.MessageBody),
      ...(MD5OfMessageAttributes && { MD5OfMessageAttributes }),
    };
  };

  const remove = async (queue: Queue, handle: string) => {
    const receipt = parseReceiptHandle(handle);
    if (!receipt) throw invalidHandle(handle);
    // With the handle of an older receive, "the request succeeds, but the message might not be deleted".
    if (queue.get(receipt.id)?.receiveCount === receipt.receive) await store.delete(queue, receipt.id);
  };

  const changeVisibility = async (queue: Queue, handle: string, seconds: number) => {
    checkRange('VisibilityTimeout', seconds, 0, MAX_VISIBILITY_SECONDS);
    const receipt = parseReceiptHandle(handle);
    if (!receipt) throw invalidHandle(handle);
    if (!queue.isInFlight(receipt.id) || queue.get(receipt.id)?.receiveCount !== receipt.receive) {
      throw new AwsError('MessageNotInflight', 400, 'The message referred to is not in flight.');
    }
    await store.changeVisibility(queue, receipt.id, seconds * 1000);
  };

  return {
    CreateQueue: async (input: unknown, caller: Caller) => {
      const { QueueName: name, Attributes } = inputs.parse(inputs.CreateQueue, input);
      const arn = `arn:aws:sqs:${REGION}:${ACCOUNT_ID}:${name}`;
      caller.authorize({ action: 'sqs:CreateQueue', resource: arn });
      if (store.byArn(arn)) {
        throw new AwsError(
          'QueueAlreadyExists',
          400,
          'A queue already exists with the same name and different attributes.',
        );
      }
      const [neighbour] = store.queues;
      const address = neighbour?.configuration.url ?? '';
      const url = address.slice(0, address.lastIndexOf('/') + 1) + name;
      const policy = Attributes.Policy === undefined ? {} : { policy: JSON.parse(Attributes.Policy) as unknown };
      store.create({ ...DEFAULTS, name, arn, url, ...policy });
      return { QueueUrl: url };
    },
    DeleteQueue: async (input: unknown, caller: Caller) => {
      const queue = queueFor(inputs.parse(inputs.ToQueue, input).QueueUrl, caller, 'DeleteQueue');
      store.remove(queue.arn);
      return {};
    },
    SendMessage: async (input: unknown, caller: Caller) => {
      const sent = inputs.parse(inputs.SendMessage, input);
      return send(queueFor(sent.QueueUrl, caller, 'SendMessage'), sent, caller);
    },
    SendMessageBatch: async (input: unknown, caller: Caller) => {
      const { QueueUrl, Entries } = inputs.parse(inputs.SendMessageBatch, input);
      const queue = queueFor(QueueUrl, caller, 'SendMessage');
      checkBatch(Entries);
      const size = Entries.reduce((sum, entry) => sum + sizeOf(entry.MessageBody, entry.MessageAttributes), 0);
      if (size > MAX_BATCH_BYTES) {
        throw new AwsError(
          'BatchRequestTooLong',
          400,
          `Batch requests cannot be longer than ${MAX_BATCH_BYTES} bytes. You have sent ${size} bytes.`,
        );
      }
      return batch(Entries, (entry) => send(queue, entry, caller));
    },
    ReceiveMessage: async (input: unknown, caller: Caller) => {
      const request = inputs.parse(inputs.ReceiveMessage, input);
      const queue = queueFor(request.QueueUrl, caller, 'ReceiveMessage');
      const { receiveWait, visibilityTimeout } = queue.configuration;
      const received = await store.receive(queue, {
        max: checkRange('MaxNumberOfMessages', request.MaxNumberOfMessages, 1, 10),
        wait: 1000 * checkRange('WaitTimeSeconds', request.WaitTimeSeconds ?? receiveWait, 0, 20),
        visibility:
          1000 *
          checkRange('VisibilityTimeout', request.VisibilityTimeout ?? visibilityTimeout, 0, MAX_VISIBILITY_SECONDS),
      });
      const system = [...request.AttributeNames, ...request.MessageSystemAttributeNames];
      return received.length === 0
        ? {}
        : { Messages: received.map((one) => describe(one, system, request.MessageAttributeNames)) };
    },
    DeleteMessage: async (input: unknown, caller: Caller) => {
      const { QueueUrl, ReceiptHandle } = inputs.parse(inputs.DeleteMessage, input);
      await remove(queueFor(QueueUrl, caller, 'DeleteMessage'), ReceiptHandle);
      return {};
    },
    DeleteMessageBatch: async (input: unknown, caller: Caller) => {
      const { QueueUrl, Entries } = inputs.parse(inputs.DeleteMessageBatch, input);
      const queue = queueFor(QueueUrl, caller, 'DeleteMessage');
      checkBatch(Entries);
      return batch(Entries, async ({ ReceiptHandle }) => {
        await remove(queue, ReceiptHandle);
        return undefined;
      });
    },
    ChangeMessageVisibility: async (input: unknown, caller: Caller) => {
      const { QueueUrl, ReceiptHandle, VisibilityTimeout } = inputs.parse(inputs.ChangeMessageVisibility, input);
      await changeVisibility(queueFor(QueueUrl, caller, 'ChangeMessageVisibility'), ReceiptHandle, VisibilityTimeout);
      return {};
    },
    ChangeMessageVisibilityBatch: async (input: unknown, caller: Caller) => {
      const { QueueUrl, Entries } = inputs.parse(inputs.ChangeMessageVisibilityBatch, input);
      const queue = queueFor(QueueUrl, caller, 'ChangeMessageVisibility');
      checkBatch(Entries);
      return batch(Entries, async (entry) => {
        await changeVisibility(queue, entry.ReceiptHandle, entry.VisibilityTimeout);
        return undefined;
      });
    },
    GetQueueUrl: async (input: unknown, caller: Caller) => {
      const { QueueName } = inputs.parse(inputs.GetQueueUrl, input);
      return { QueueUrl: queueFor(QueueName, caller, 'GetQueueUrl').configuration.url };
    },
    GetQueueAttributes: async (input: unknown, caller: Caller) => {
      const { QueueUrl, AttributeNames } = inputs.parse(inputs.GetQueueAttributes, input);
      const queue = queueFor(QueueUrl, caller, 'GetQueueAttributes');
      const wanted = Object.entries(queueAttributes(queue)).filter(
        ([name]) => AttributeNames.includes('All') || AttributeNames.includes(name),
      );
      return { Attributes: Object.fromEntries(wanted) };
    },
    ListQueues: async (input: unknown, caller: Caller) => {
      const { QueueNamePrefix } = inputs.parse(inputs.ListQueues, input);
      caller.authorize({ action: 'sqs:ListQueues', resource: `arn:aws:sqs:${REGION}:${ACCOUNT_ID}:*` });
      const all = [...store.queues].map(({ configuration }) => configuration);
      return { QueueUrls: all.filter(({ name }) => name.startsWith(QueueNamePrefix)).map(({ url }) => url) };
    },
    PurgeQueue: async (input: unknown, caller: Caller) => {
      const { QueueUrl } = inputs.parse(inputs.ToQueue, input);
      await store.purge(queueFor(QueueUrl, caller, 'PurgeQueue'));
      return {};
    },
    StartMessageMoveTask: async (input: unknown, caller: Caller) => {
      const { SourceArn, DestinationArn } = inputs.parse(inputs.StartMessageMoveTask, input);
      const source = queueByArn(SourceArn, caller, 'StartMessageMoveTask');
      for (const action of ['ReceiveMessage', 'DeleteMessage', 'GetQueueAttributes'])
        queueByArn(SourceArn, caller, action);
      const to = DestinationArn === undefined ? undefined : queueByArn(DestinationArn, caller, 'SendMessage');
      return { TaskHandle: moveTasks.start(source, to) };
    },
    ListMessageMoveTasks: async (input: unknown, caller: Caller) => {
      const { SourceArn, MaxResults } = inputs.parse(inputs.ListMessageMoveTasks, input);
      const source = queueByArn(SourceArn, caller, 'ListMessageMoveTasks');
      return { Results: moveTasks.list(source, checkRange('MaxResults', MaxResults, 1, 10)) };
    },
  };
}

/** Handles each entry by itself: refused entries are in `Failed`. */
async function batch<Entry extends { Id: string }>(
  entries: readonly Entry[],
  one: (entry: Entry) => Promise<object | undefined>,
) {
  const Successful: object[] = [];
  const Failed: object[] = [];
  for (const outcome of await Promise.all(entries.map((entry) => settle(entry, one)))) {
    (outcome.failed ? Failed : Successful).push(outcome.result);
  }
  return { Successful, ...(Failed.length > 0 && { Failed }) };
}

async function settle<Entry extends { Id: string }>(entry: Entry, one: (entry: Entry) => Promise<object | undefined>) {
  try {
    return { failed: false, result: { Id: entry.Id, ...(await one(entry)) } };
  } catch (error) {
    if (!(error instanceof AwsError) || error.status >= 500) throw error;
    return { failed: true, result: { Id: entry.Id, Code: error.code, Message: error.message, SenderFault: true } };
  }
}

function senderId(principal: Principal): string {
  if (principal.type === 'role') return `AROA:${principal.arn.slice(principal.arn.lastIndexOf('/') + 1)}`;
  return principal.type === 'service' ? `AROA:${principal.service}` : ACCOUNT_ID;
}

function describe({ message, receiptHandle }: Received, systemNames: string[], attributeNames: string[]) {
  const system = Object.entries(systemAttributes(message)).filter(
    ([name]) => systemNames.includes('All') || systemNames.includes(name),
  );
  const attributes: Attributes = Object.fromEntries(
    Object.entries(message.attributes).filter(([name]) => attributeNames.some((wanted) => isNamed(name, wanted))),
  );
  const MD5OfMessageAttributes = md5OfAttributes(attributes);
  return {
    MessageId: message.id,
    ReceiptHandle: receiptHandle,
    MD5OfBody: md5(message.body),
    Body: message.body,
    ...(system.length > 0 && { Attributes: Object.fromEntries(system) }),
    ...(MD5OfMessageAttributes && { MessageAttributes: attributes, MD5OfMessageAttributes }),
  };
}

function systemAttributes(message: Received['message']): Record<string, string> {
  return {
    ApproximateReceiveCount: String(message.receiveCount),
    SentTimestamp: String(message.sentAt),
    SenderId: message.sender,
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt ?? ''),
    ...(message.trace && { AWSTraceHeader: message.trace }),
    ...(message.deadLetterSource && { DeadLetterQueueSourceArn: message.deadLetterSource }),
  };
}

function isNamed(name: string, wanted: string): boolean {
  if (wanted === 'All' || wanted === '.*') return true;
  return wanted.endsWith('.*') ? name.startsWith(wanted.slice(0, -2)) : name === wanted;
}

function queueAttributes(queue: Queue): Record<string, string> {
  const { configuration } = queue;
  const { visible, inFlight, delayed } = queue.counts();
  return {
    QueueArn: configuration.arn,
    ApproximateNumberOfMessages: String(visible),
    ApproximateNumberOfMessagesNotVisible: String(inFlight),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    VisibilityTimeout: String(configuration.visibilityTimeout),
    DelaySeconds: String(configuration.delay),
    MaximumMessageSize: String(configuration.maxMessageSize),
    MessageRetentionPeriod: String(configuration.retention),
    ReceiveMessageWaitTimeSeconds: String(configuration.receiveWait),
    SqsManagedSseEnabled: 'true',
    ...(configuration.policy !== undefined && { Policy: JSON.stringify(configuration.policy) }),
    ...(configuration.redrive && {
      RedrivePolicy: JSON.stringify({
        deadLetterTargetArn: configuration.redrive.deadLetterArn,
        maxReceiveCount: configuration.redrive.maxReceiveCount,
      }),
    }),
  };
}
