/** What the command's exit code says. docs/api.md lists them. */
export const EXIT = {
  ok: 0,
  /** It worked, and what it found is bad: a media failed, health is failing, doctor misses something. */
  failed: 1,
  /** Wrong usage, or a file that cannot be read. */
  usage: 2,
  /** No token, or it may not do this: 401 and 403. */
  denied: 3,
  notFound: 4,
  /** The API refused: any other 4xx, with its code. */
  refused: 5,
  /** The API cannot be reached, or failed: 5xx. */
  unreachable: 6,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

/** Ends the command with a message for a person. `problem` is the API's own, for --json. */
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
