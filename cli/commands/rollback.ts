import type { Command } from 'commander';
import { contextOf } from '../context.ts';
import { mediaId } from '../options.ts';

export function addRollback(program: Command): void {
  program
    .command('rollback')
    .description('put the previous version back')
    .argument('<id>', '', mediaId)
    .action(async (id: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const media = await api.call('rollbackMedia', { id });
      out.result(media, () => `${media.id}  going back to the version before`);
    });
}
