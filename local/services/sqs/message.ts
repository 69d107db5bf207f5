import { createHash } from 'node:crypto';
import { z } from 'zod';

export const AttributeValue = z.object({
  DataType: z.string(),
  StringValue: z.string().optional(),
  /** Base64. */
  BinaryValue: z.string().optional(),
});
export type AttributeValue = z.infer<typeof AttributeValue>;
export type Attributes = Record<string, AttributeValue>;

export interface Message {
  id: string;
  body: string;
  attributes: Attributes;
  /** The attribute SenderId. */
  sender: string;
  /** Milliseconds since the epoch; kept when the message moves to dead letters, so that its retention continues. */
  sentAt: number;
  /** Time from which the message can be received. */
  visibleAt: number;
  receiveCount: number;
  /** The trace header of the call that sent it. */
  trace?: string;
  firstReceivedAt?: number;
  /** ARN of the queue from which the message moved to these dead letters. */
  deadLetterSource?: string;
}

/** A received message with its receipt handle. */
export interface Received {
  message: Readonly<Message>;
  receiptHandle: string;
}

export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html#sqs-attributes-md5-message-digest-calculation */
export function md5OfAttributes(attributes: Attributes): string | undefined {
  const names = Object.keys(attributes).sort();
  if (names.length === 0) return undefined;
  const hash = createHash('md5');
  const field = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  };
  for (const name of names) {
    const value = attributes[name];
    if (!value) continue;
    field(Buffer.from(name));
    field(Buffer.from(value.DataType));
    const binary = value.DataType.startsWith('Binary');
    hash.update(Buffer.from([binary ? 2 : 1]));
    field(binary ? Buffer.from(value.BinaryValue ?? '', 'base64') : Buffer.from(value.StringValue ?? ''));
  }
  return hash.digest('hex');
}

/** Bytes that count against the size limit: the body and each attribute's name, type and value. */
export function sizeOf(body: string, attributes: Attributes): number {
  let size = Buffer.byteLength(body);
  for (const [name, { DataType, StringValue = '', BinaryValue = '' }] of Object.entries(attributes)) {
    size += Buffer.byteLength(name) + Buffer.byteLength(DataType) + Buffer.byteLength(StringValue);
    size += Buffer.byteLength(BinaryValue, 'base64');
  }
  return size;
}

/** A receipt handle identifies the message and the receive. */
export function receiptHandle(message: Message): string {
  return Buffer.from(`${message.id}/${message.receiveCount}`).toString('base64url');
}

export function parseReceiptHandle(handle: string): { id: string; receive: number } | undefined {
  const match = /^([0-9a-f-]{36})\/([0-9]+)$/.exec(Buffer.from(handle, 'base64url').toString());
  return match?.[1] ? { id: match[1], receive: Number(match[2]) } : undefined;
}
