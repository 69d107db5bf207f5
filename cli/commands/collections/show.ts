import type { Command } from 'commander';
import { contextOf } from '../../context.ts';
import { describeCollection } from './describe.ts';

export function addCollectionsShow(collections: Command): void {
  collections
    .command('show')
    .description('one with its settings')
    .argument('<id>')
    .action(async (id: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const collection = await api.call('getCollection', { id });
      out.result(collection, () => describeCollection(collection));
    });
}
