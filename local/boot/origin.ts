import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { OriginRequest } from '../delivery/service.ts';
import type { Calls } from '../gateway/calls.ts';
import { AwsError, type Service, type ServiceResponse } from '../service.ts';

/** S3 as the origin of a distribution: held to the bucket's policy, counted, and an error is an answer too. */
export function s3Origin(s3: Service, calls: Calls): (request: OriginRequest) => Promise<ServiceResponse> {
  return async ({ principal, method, path, headers }) => {
    const request = { requestId: randomUUID(), method, path, query: new URLSearchParams(), headers };
    const call = { service: 's3', operation: s3.operation(request), principal };
    try {
      return await calls.run(call, (caller) => s3.handle({ ...request, ...caller, body: Readable.from([]) }));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return s3.renderError(error, request.requestId);
    }
  };
}
