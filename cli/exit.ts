import { RefusedError } from '../client/errors.ts';
import { printableLine } from '../core/contracts/text.ts';

/** The command's exit codes. docs/api.md lists them. */
export const EXIT = {
  ok: 0,
  /** It worked, but the result is bad: a media item failed, health is failing, doctor finds something missing, a stream breaks a rule. */
  failed: 1,
  /** Wrong usage, or a file that cannot be read. */
  usage: 2,
  /** No token, or the token does not permit this: 401 and 403. */
  denied: 3,
  notFound: 4,
  /** The API refused: any other 4xx, with its code. */
  refused: 5,
  /** The API cannot be reached, or failed: 5xx. */
  unreachable: 6,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

/** Ends the command with a message for people. `problem` is the API's own, for --json. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;
  readonly problem: unknown;

  constructor(exitCode: number, message: string, problem?: unknown) {
    super(message);
    this.exitCode = exitCode;
    this.problem = problem;
  }
}

/** Converts any error to one that ends the command. */
export function cliErrorOf(error: unknown): CliError {
  if (error instanceof CliError) return error;
  const message = printableLine(error instanceof Error ? error.message : String(error));
  if (error instanceof RefusedError) return new CliError(exitCodeOf(error.status), message, error.problem);
  return new CliError(EXIT.unreachable, message);
}

function exitCodeOf(status: number): number {
  if (status === 401 || status === 403) return EXIT.denied;
  if (status === 404) return EXIT.notFound;
  return status >= 500 ? EXIT.unreachable : EXIT.refused;
}
