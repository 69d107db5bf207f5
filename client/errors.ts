import type { Problem } from '../core/contracts/problems.ts';
import { Problem as ProblemSchema } from '../core/contracts/problems.ts';
import { parseJson } from '../core/contracts/text.ts';

/** The API answered a request with a status other than 2xx. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  /** HTTP status. */
  readonly status: number;
  /** The API's own problem details; undefined where something before the API answered, such as a proxy. */
  readonly problem: Problem | undefined;

  /** @param text the body of the answer */
  constructor(status: number, text: string) {
    const problem = ProblemSchema.safeParse(parseJson(text)).data;
    super(
      problem
        ? `${problem.title}: ${problem.detail} (${problem.code})`
        : `The API answered ${status}: ${text.slice(0, 300)}`,
    );
    this.status = status;
    this.problem = problem;
  }
}

/** No complete answer arrived: no connection, a time limit, or a connection that was cut. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';

  constructor(url: string, cause: unknown) {
    super(`${url} cannot be reached: ${reasonOf(cause)}`, { cause });
  }
}

/** A 2xx answer whose body does not fit this release of the client: the API is of another release. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError';

  constructor(operation: string, cause: unknown) {
    super(`The API's answer to ${operation} does not fit this release: is the API of a newer release?`, { cause });
  }
}

/** The message of fetch is "fetch failed"; the reason is in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message || error.cause.name : error.message;
}
