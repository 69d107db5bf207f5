import type { Command } from 'commander';
import { contextOf } from '../../context.ts';
import { table } from '../../table.ts';
import { rungsOf } from './describe.ts';

export function addPresetsLs(presets: Command): void {
  presets
    .command('ls', { isDefault: true })
    .alias('list')
    .description('list the built-in ones and your own')
    .action(async (_options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const { items } = await api.call('listPresets');
      const cells = items.map((item) => [
        ...[item.name, String(item.version), item.builtIn ? 'yes' : ''],
        ...[rungsOf(item), String(item.crf), `${item.maxFrameRate}`, `${item.segmentSeconds} s`],
      ]);
      out.result(items, () => table(['NAME', 'VERSION', 'BUILT IN', 'RUNGS', 'CRF', 'FPS', 'SEGMENTS'], cells));
    });
}
