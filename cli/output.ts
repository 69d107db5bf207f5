import { printable } from '../core/contracts/text.ts';
import { type CliError, cliErrorOf } from './exit.ts';

/** Results go to stdout, as text or, with --json, one JSON value per line; everything else goes to stderr. */
export class Output {
  readonly json: boolean;

  constructor(json: boolean) {
    this.json = json;
  }

  /** `text` is called only when its result is printed. */
  result(value: unknown, text: () => string): void {
    process.stdout.write(this.json ? `${JSON.stringify(value)}\n` : `${printable(text())}\n`);
  }

  note(line: string): void {
    process.stderr.write(`${printable(line)}\n`);
  }

  /** Prints an error; the caller chooses the exit code. */
  error(cause: unknown): CliError {
    const error = cliErrorOf(cause);
    const { message, exitCode, problem } = error;
    this.note(this.json ? JSON.stringify({ error: message, exitCode, problem }) : `dropreel: ${message}`);
    return error;
  }
}
