import type { Readable } from 'node:stream';
import { type AccessCheck, AwsError, type Principal, type ServiceRequest, type ServiceResponse } from './service.ts';

/** AWS's JSON protocols 1.0 and 1.1: the operation is in a header, input and output are JSON bodies. */

/** The largest body that any of these services accepts, with room for JSON escapes. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

/** `SendMessage` of `x-amz-target: AmazonSQS.SendMessage`; empty without the header. */
export function operationOf(headers: Readonly<Record<string, string>>): string {
  const target = headers['x-amz-target'] ?? '';
  return target.slice(target.lastIndexOf('.') + 1);
}

export async function readBody(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new AwsError('RequestEntityTooLarge', 413, 'The request is too large.');
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @throws AwsError SerializationException */
export async function readInput(body: Readable): Promise<unknown> {
  const text = await readBody(body);
  try {
    return JSON.parse(text === '' ? '{}' : text);
  } catch {
    throw new AwsError('SerializationException', 400, 'The request body is not JSON.');
  }
}

export function jsonResponse(version: '1.0' | '1.1', body: unknown): ServiceResponse {
  return { status: 200, headers: { 'content-type': `application/x-amz-json-${version}` }, body: JSON.stringify(body) };
}

/** @param namespace prefix of the code, for example `com.amazonaws.sqs#` */
export function jsonError(version: '1.0' | '1.1', error: AwsError, namespace = ''): ServiceResponse {
  return {
    status: error.status,
    headers: { 'content-type': `application/x-amz-json-${version}`, 'x-amzn-errortype': error.code },
    body: JSON.stringify({ __type: `${namespace}${error.code}`, message: error.message, ...error.extra }),
  };
}

/** The caller's principal, and the check of its permissions. */
export type Caller = Pick<ServiceRequest, 'principal' | 'authorize'> & {
  /** The trace header of the call. */
  trace?: string | undefined;
};

/** Throws AwsError AccessDenied when the principal lacks the permission. */
export type Authorize = (principal: Principal, check: AccessCheck) => void;

/**
 * A call from one local service to another, inside the process: it is counted, subject to permissions and to faults
 * like a call through the gateway.
 */
export type InternalCall = <T>(
  call: { service: string; operation: string; principal: Principal },
  work: (caller: Caller) => Promise<T>,
) => Promise<T>;
