import { z } from 'zod';
import { AwsError } from '../../kernel/service.ts';
import { AttributeValue } from './message.ts';

/** Inputs of the operations: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_Operations.html */

const QueueUrl = z.string();
const Names = z.array(z.string()).default([]);
const MessageAttributes = z.record(z.string(), AttributeValue).default({});
const Entry = z.object({ Id: z.string() });

export const ToQueue = z.object({ QueueUrl });
export const GetQueueUrl = z.object({ QueueName: z.string() });
export const GetQueueAttributes = ToQueue.extend({ AttributeNames: Names });
export const CreateQueue = z.object({
  QueueName: z.string().regex(/^[A-Za-z0-9_-]{1,80}$/),
  Attributes: z.strictObject({ Policy: z.string().optional() }).default({}),
});
export const ListQueues = z.object({ QueueNamePrefix: z.string().default('') });

const Sent = z.object({
  MessageBody: z.string().default(''),
  DelaySeconds: z.number().optional(),
  MessageAttributes,
  // The trace header is the only such attribute.
  MessageSystemAttributes: z.object({ AWSTraceHeader: AttributeValue.optional() }).default({}),
});
export type Sent = z.infer<typeof Sent>;
export const SendMessage = ToQueue.extend(Sent.shape);
export const SendMessageBatch = ToQueue.extend({ Entries: z.array(Entry.extend(Sent.shape)).default([]) });

export const ReceiveMessage = ToQueue.extend({
  MaxNumberOfMessages: z.number().default(1),
  WaitTimeSeconds: z.number().optional(),
  VisibilityTimeout: z.number().optional(),
  AttributeNames: Names,
  MessageSystemAttributeNames: Names,
  MessageAttributeNames: Names,
});

export const DeleteMessage = ToQueue.extend({ ReceiptHandle: z.string() });
export const DeleteMessageBatch = ToQueue.extend({
  Entries: z.array(Entry.extend({ ReceiptHandle: z.string() })).default([]),
});
export const ChangeMessageVisibility = DeleteMessage.extend({ VisibilityTimeout: z.number() });
export const ChangeMessageVisibilityBatch = ToQueue.extend({
  Entries: z.array(Entry.extend({ ReceiptHandle: z.string(), VisibilityTimeout: z.number() })).default([]),
});

export const StartMessageMoveTask = z.object({
  SourceArn: z.string(),
  DestinationArn: z.string().optional(),
  MaxNumberOfMessagesPerSecond: z.number().optional(),
});
export const ListMessageMoveTasks = z.object({ SourceArn: z.string(), MaxResults: z.number().default(1) });

/** @throws AwsError MissingParameter or InvalidParameterValue */
export function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = issue?.path.join('.') ?? '';
  if (issue?.code === 'invalid_type' && issue.input === undefined) {
    throw new AwsError('MissingParameter', 400, `The request must contain the parameter ${name}.`);
  }
  throw new AwsError('InvalidParameterValue', 400, `The parameter ${name} is invalid: ${issue?.message}.`);
}
