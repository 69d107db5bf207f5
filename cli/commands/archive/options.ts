import type { Command } from 'commander';
import { CliError, EXIT } from '../../exit.ts';

export interface FolderOptions {
  folder: string;
}

export function withFolder(command: Command): Command {
  return command.requiredOption('--folder <dir>', 'the folder of recordings');
}

/** Aborts when the command is to end: Ctrl-C, or systemd's stop. A second one ends it at once. */
export function untilInterrupted(): AbortSignal {
  const stop = new AbortController();
  const end = () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort(new CliError(EXIT.interrupted, 'Interrupted; the recording in work is as it was.'));
  };
  // Not once: where no listener is left, that of FFmpeg's runs ends the process.
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  return stop.signal;
}

/** An action that no API is behind: what fails in it, unforeseen, is this machine's. */
export function locally<Args extends unknown[]>(
  action: (...args: Args) => Promise<void>,
): (...args: Args) => Promise<void> {
  return (...args) =>
    action(...args).catch((error: unknown) => {
      throw error instanceof CliError ? error : new CliError(EXIT.failed, String((error as Error).message));
    });
}
