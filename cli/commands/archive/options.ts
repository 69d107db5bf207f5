import type { Command } from 'commander';
import { CliError, EXIT } from '../../exit.ts';

export interface FolderOptions {
  folder: string;
}

export function withFolder(command: Command): Command {
  return command.requiredOption('--folder <dir>', 'the folder of recordings');
}

/** Aborts when the command is to end: Ctrl-C, or systemd's stop. */
export function untilInterrupted(): AbortSignal {
  const stop = new AbortController();
  const end = () => stop.abort(new CliError(EXIT.interrupted, 'Interrupted; the recording in work is as it was.'));
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  return stop.signal;
}
