import { type Command, Option } from 'commander';
import type { EngineChoice } from '../../../core/contracts/engines.ts';
import { engineOption } from '../../options.ts';

/** The settings that `create` and `edit` accept. */
export interface Settings {
  title?: string;
  preset?: string;
  engine?: EngineChoice;
  playback?: 'public' | 'private';
  deleteOriginal?: boolean;
  retranscodeFromOutput?: boolean;
}

export function withSettings(command: Command): Command {
  return command
    .option('--title <title>')
    .option('--preset <name>', 'largest rung: standard (1080p), uhd (2160p) or compact (720p)')
    .addOption(engineOption('what encodes its media'))
    .addOption(new Option('--playback <who>').choices(['public', 'private']))
    .option('--delete-original', 'delete uploads once they are ready')
    .option('--no-delete-original')
    .option('--retranscode-from-output', 'allow a new encode from an output when the original is gone')
    .option('--no-retranscode-from-output');
}
