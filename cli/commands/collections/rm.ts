import type { Command } from 'commander';
import { contextOf } from '../../context.ts';

export function addCollectionsRm(collections: Command): void {
  collections
    .command('rm')
    .description('delete an empty one')
    .argument('<id>')
    .action(async (id: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      await api.call('deleteCollection', { id });
      out.result({ id, deleted: true }, () => `${id}  deleted`);
    });
}
