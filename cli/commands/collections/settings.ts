import { type Command, Option } from 'commander';

/** The settings that `create` and `edit` accept. */
export interface Settings {
  title?: string;
  preset?: string;
  playback?: 'public' | 'private';
  deleteOriginal?: boolean;
  retranscodeFromOutput?: boolean;
}

export function withSettings(command: Command): Command {
  return command
    .option('--title <title>')
    .option('--preset <name>')
    .addOption(new Option('--playback <who>').choices(['public', 'private']))
    .option('--delete-original', 'delete uploads once they are ready')
    .option('--no-delete-original')
    .option('--retranscode-from-output', 'allow a new encode from an output when the original is gone')
    .option('--no-retranscode-from-output');
}
