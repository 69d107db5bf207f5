import type { z } from 'zod';
import { PROBLEMS, type Problem, type ProblemCode } from '../contracts/problems.ts';

/** A request that is refused: a code of the closed list and a sentence for the person who sent it. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ProblemCode;
  readonly errors: Problem['errors'];
  /** Additional response headers, such as Retry-After. */
  readonly headers: Record<string, string>;

  constructor(
    code: ProblemCode,
    detail: string,
    options: { errors?: Problem['errors']; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }
}

export function problemOf(error: Pick<ApiError, 'code' | 'message' | 'errors'>, instance?: string): Problem {
  const { status, title } = PROBLEMS[error.code];
  return {
    type: `urn:dropreel:problem:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    ...(instance && { instance }),
    ...(error.errors && { errors: error.errors }),
  };
}

/** `where` is the part of the request: path, query, headers or body. */
export function invalid(where: string, issues: readonly z.core.$ZodIssue[]): ApiError {
  const errors = issues.slice(0, 20).map((issue) => ({
    path: [where, ...issue.path.map(String)].join('.'),
    message: issue.message,
  }));
  const first = errors[0];
  return new ApiError('invalid_request', first ? `${first.path}: ${first.message}` : `The ${where} is not valid.`, {
    errors,
  });
}

export const notFound = (what: string): ApiError => new ApiError('not_found', `There is no ${what} of this id.`);
