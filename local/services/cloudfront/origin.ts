import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { InternalCall } from '../../kernel/aws-json.ts';
import { AwsError, type Service, type ServiceResponse } from '../../kernel/service.ts';
import type { OriginRequest } from './service.ts';

/** S3 as the origin of a distribution: the bucket's policy applies, calls are counted, and an error becomes a response. */
export function s3Origin(s3: Service, run: InternalCall): (request: OriginRequest) => Promise<ServiceResponse> {
  return async ({ principal, method, path, headers }) => {
    const request = { requestId: randomUUID(), method, path, query: new URLSearchParams(), headers };
    try {
      const call = { service: 's3', operation: s3.operation(request), principal };
      return await run(call, (caller) => s3.handle({ ...request, ...caller, body: Readable.from([]) }));
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      return s3.renderError(error, request.requestId);
    }
  };
}
