import { AwsError } from '../../kernel/service.ts';

/** Codes of the JSON protocol, and their names in the older query protocol (header x-amzn-query-error). */
const QUERY_CODES: Readonly<Record<string, string>> = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  BatchRequestTooLong: 'AWS.SimpleQueueService.BatchRequestTooLong',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  InvalidBatchEntryId: 'AWS.SimpleQueueService.InvalidBatchEntryId',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
  MessageNotInflight: 'AWS.SimpleQueueService.MessageNotInflight',
  UnsupportedOperation: 'AWS.SimpleQueueService.UnsupportedOperation',
};

export function queryCode(code: string): string {
  return QUERY_CODES[code] ?? code;
}

export const queueDoesNotExist = () => new AwsError('QueueDoesNotExist', 400, 'The specified queue does not exist.');
export const invalidHandle = (handle: string) =>
  new AwsError('ReceiptHandleIsInvalid', 400, `The input receipt handle "${handle}" is not a valid receipt handle.`);
export const invalidParameter = (message: string) => new AwsError('InvalidParameterValue', 400, message);
