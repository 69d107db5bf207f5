import type { Command } from 'commander';
import { contextOf } from '../../context.ts';
import { describePreset } from './describe.ts';
import { loadNamed } from './named.ts';

export function addPresetsShow(presets: Command): void {
  presets
    .command('show')
    .description('one with its settings, and who uses it; --json prints what `set` takes')
    .argument('<name>', 'NAME, or NAME@VERSION for an earlier version')
    .action(async (name: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const preset = await loadNamed(api, name);
      out.result(preset, () => describePreset(preset));
    });
}
