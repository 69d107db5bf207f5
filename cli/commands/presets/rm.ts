import type { Command } from 'commander';
import { contextOf } from '../../context.ts';

export function addPresetsRm(presets: Command): void {
  presets
    .command('rm')
    .description('delete one that no collection uses; its versions can still be shown')
    .argument('<name>')
    .action(async (name: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      await api.call('deletePreset', { name });
      out.result({ name, deleted: true }, () => `${name}  deleted`);
    });
}
