import { ApiError, problemOf } from '../../core/api/problem.ts';
import { PROBLEM_TYPE } from '../../core/contracts/problems.ts';
import { logger } from '../shared/observability.ts';

/** Transient errors of AWS services. */
const PASSING = new Set([
  'ThrottlingException',
  'RequestLimitExceeded',
  'ProvisionedThroughputExceededException',
  'InternalServerError',
  'ServiceUnavailable',
  'SlowDown',
  'InternalError',
  // S3's error when a conditional write meets another one.
  'ConditionalRequestConflict',
  'TimeoutError',
  'ECONNREFUSED',
  'ECONNRESET',
]);

/** Converts every error to a refusal. Errors that the client did not cause are logged. */
function refusalFor(error: unknown, requestId: string): ApiError {
  if (error instanceof ApiError) return error;
  if (!(error instanceof Error)) return refusalFor(new Error(String(error)), requestId);
  // The router throws these for a path that is not valid URL encoding, and for an empty parameter.
  if (error instanceof URIError || error.name === 'ParameterValidationError') {
    return new ApiError('malformed_request', 'The path is not valid URL encoding.', { cause: error });
  }
  if (error.name === 'TransactionCanceledException' || error.name === 'TransactionConflictException') {
    return new ApiError('conflict', 'Something else changed the same thing at the same moment.', { cause: error });
  }
  const code = (error as { code?: unknown }).code;
  if (PASSING.has(error.name) || (typeof code === 'string' && PASSING.has(code))) {
    logger.warn('A service did not answer', { requestId, error });
    return new ApiError('unavailable', 'A service that the request depends on did not answer.', {
      headers: { 'Retry-After': '5' },
    });
  }
  logger.error('Request failed', { requestId, error });
  return new ApiError('internal', 'An unexpected error occurred. The log has the reason under the request id.', {
    cause: error,
  });
}

export function problemResponse(error: unknown, requestId: string): Response {
  const refusal = refusalFor(error, requestId);
  const problem = problemOf(refusal, requestId);
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { 'Content-Type': PROBLEM_TYPE, 'Cache-Control': 'no-store', ...refusal.headers },
  });
}
