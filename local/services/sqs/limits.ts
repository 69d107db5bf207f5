import { AwsError } from '../../kernel/service.ts';
import { invalidParameter } from './errors.ts';
import { type Attributes, sizeOf } from './message.ts';

/** https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const MAX_BATCH = 10;
/** Limit of a message and of a batch in bytes: 1 MiB since August 2025. */
export const MAX_BATCH_BYTES = 1_048_576;
const MAX_ATTRIBUTES = 10;
const ALLOWED = /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u;

/** @throws AwsError when SQS would not accept the message */
export function checkMessage(body: string, attributes: Attributes, maxBytes: number): void {
  if (body === '') throw new AwsError('MissingParameter', 400, 'The request must contain the parameter MessageBody.');
  if (!ALLOWED.test(body))
    throw new AwsError('InvalidMessageContents', 400, 'The message contains characters outside the allowed set.');
  if (Object.keys(attributes).length > MAX_ATTRIBUTES) {
    throw invalidParameter(
      `Number of message attributes [${Object.keys(attributes).length}] exceeds the allowed maximum [${MAX_ATTRIBUTES}].`,
    );
  }
  for (const [name, { DataType, StringValue, BinaryValue }] of Object.entries(attributes)) {
    if (!/^(String|Number|Binary)(\..+)?$/.test(DataType)) {
      throw invalidParameter(
        `The message attribute '${name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
      );
    }
    if ((DataType.startsWith('Binary') ? BinaryValue : StringValue) === undefined) {
      throw invalidParameter(`The message attribute '${name}' must contain a non-empty message attribute value.`);
    }
  }
  if (sizeOf(body, attributes) > maxBytes) {
    throw invalidParameter(
      `One or more parameters are invalid. Reason: Message must be shorter than ${maxBytes} bytes.`,
    );
  }
}

/** @throws AwsError naming `parameter` when the value is not a whole number from `min` to `max` */
export function checkRange(parameter: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw invalidParameter(
    `Value ${value} for parameter ${parameter} is invalid. Reason: Must be between ${min} and ${max}, if provided.`,
  );
}

/** @throws AwsError when the batch request as a whole is invalid */
export function checkBatch(entries: readonly { Id: string }[]): void {
  const fail = (code: string, message: string) => new AwsError(code, 400, message);
  if (entries.length === 0) throw fail('EmptyBatchRequest', 'There should be at least one entry in the request.');
  if (entries.length > MAX_BATCH) {
    throw fail(
      'TooManyEntriesInBatchRequest',
      `Maximum number of entries per request are ${MAX_BATCH}. You have sent ${entries.length}.`,
    );
  }
  for (const { Id } of entries) {
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(Id)) {
      throw fail(
        'InvalidBatchEntryId',
        'A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.',
      );
    }
  }
  const ids = entries.map(({ Id }) => Id);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw fail('BatchEntryIdsNotDistinct', `Id ${twice} repeated.`);
}
