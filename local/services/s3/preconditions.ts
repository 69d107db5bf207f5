import { AwsError, type ServiceRequest } from '../../kernel/service.ts';
import { noSuchKey, type ObjectVersion, preconditionFailed } from './model.ts';

type Headers = ServiceRequest['headers'];

const unquoted = (etag: string) => etag.trim().replace(/^W\//, '').replaceAll('"', '');
const names = (header: string, etag: string) =>
  header.split(',').some((item) => item.trim() === '*' || unquoted(item) === etag);
/** HTTP dates have whole seconds. */
const seconds = (time: number) => Math.floor(time / 1000);

/**
 * Checks the conditional headers of a read, in the order of RFC 9110.
 * @returns true for «not modified»
 * @throws AwsError PreconditionFailed
 */
export function checkReadConditions(headers: Headers, version: ObjectVersion, prefix = 'if-'): boolean {
  const match = headers[`${prefix}match`];
  const unmodified = headers[`${prefix}unmodified-since`];
  const noneMatch = headers[`${prefix}none-match`];
  const modified = headers[`${prefix}modified-since`];
  if (match !== undefined) {
    if (!names(match, version.etag)) throw preconditionFailed('If-Match');
  } else if (unmodified !== undefined && seconds(version.modified) > seconds(Date.parse(unmodified))) {
    throw preconditionFailed('If-Unmodified-Since');
  }
  if (noneMatch !== undefined) return names(noneMatch, version.etag);
  return modified !== undefined && seconds(version.modified) <= seconds(Date.parse(modified));
}

/**
 * Checks If-Match and If-None-Match of a write against the current version.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function checkWriteConditions(headers: Headers, key: string, latest: ObjectVersion | undefined): void {
  const present = latest && !latest.deleteMarker ? latest : undefined;
  const noneMatch = headers['if-none-match'];
  const match = headers['if-match'];
  if (noneMatch !== undefined) {
    if (noneMatch !== '*') {
      throw new AwsError('NotImplemented', 501, 'A header you provided implies functionality that is not implemented', {
        Header: 'If-None-Match',
      });
    }
    if (present) throw preconditionFailed('If-None-Match');
  }
  if (match !== undefined) {
    if (!present) throw noSuchKey(key);
    if (!names(match, present.etag)) throw preconditionFailed('If-Match');
  }
}
