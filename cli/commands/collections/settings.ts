import { type Command, Option } from 'commander';
import type { EngineChoice } from '../../../core/contracts/engines.ts';
import { amount, engineOption, given } from '../../options.ts';

/** The options of `create` and `edit`. */
export interface Options {
  title?: string;
  preset?: string;
  engine?: EngineChoice;
  playback?: 'public' | 'private';
  /** null: by the rule of all. */
  embedOrigins?: string[] | null;
  deleteOriginal?: boolean;
  retranscodeFromOutput?: boolean;
  /** null: none. */
  deadline?: number | null;
  maxUsd?: number | null;
}

export function withSettings(command: Command): Command {
  return command
    .option('--title <title>')
    .option(
      '--preset <name>',
      'standard (up to 1080p), uhd (2160p), compact (720p), or one of your own: `dropreel presets`',
    )
    .addOption(engineOption('what encodes its media'))
    .addOption(new Option('--playback <who>').choices(['public', 'private']))
    .option(
      '--embed-origins <sites>',
      'which sites may frame its media, such as https://example.com,https://*.example.org; `default`: any if public, none if private; `none`',
      sites,
    )
    .option('--delete-original', 'delete uploads once they are ready')
    .option('--no-delete-original')
    .option('--retranscode-from-output', 'allow a new encode from an output when the original is gone')
    .option('--no-retranscode-from-output')
    .option('--deadline <minutes>', 'how soon after its upload a file is to be encoded; `none` removes it', amount)
    .option('--max-usd <usd>', 'for operators: what encodes may cost in a month; `none` removes it', amount);
}

function sites(text: string): string[] | null {
  if (text === 'default') return null;
  return text === 'none' ? [] : text.split(',').map((site) => site.trim());
}

/** The settings that they stand for. */
export function settingsOf({ deadline, maxUsd, ...settings }: Options) {
  return given({ ...settings, deadlineMinutes: deadline, maxUsdPerMonth: maxUsd });
}
