import type { Command } from 'commander';
import type { Client } from '../../../client/client.ts';
import { PresetSettings } from '../../../core/contracts/preset-settings.ts';
import { contextOf } from '../../context.ts';
import { CliError, EXIT } from '../../exit.ts';
import { table } from '../../table.ts';
import { changesBetween } from './differences.ts';
import { loadNamed, readPresetFile } from './named.ts';

export function addPresetsDiff(presets: Command): void {
  presets
    .command('diff')
    .description('what two presets say differently')
    .argument('<from>', 'NAME, NAME@VERSION, or a file: its name has a dot or a slash')
    .argument('<to>', 'likewise')
    .action(async (from: string, to: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const [before, after] = [await sayingOf(api, from), await sayingOf(api, to)];
      const changes = changesBetween(before, after);
      const cells = changes.map((change) => [change.field, change.from, change.to]);
      out.result(changes, () => (cells.length === 0 ? 'They say the same.' : table(['FIELD', from, to], cells)));
    });
}

async function sayingOf(api: Client, text: string): Promise<object> {
  if (!/[./]/.test(text)) return loadNamed(api, text);
  const { success, data, error } = PresetSettings.safeParse((await readPresetFile(text)).settings);
  if (success) return data;
  const lines = error.issues.map(({ path, message }) => `  ${path.join('.')}: ${message}`);
  throw new CliError(EXIT.usage, `${text} is not a preset.\n${lines.join('\n')}`);
}
