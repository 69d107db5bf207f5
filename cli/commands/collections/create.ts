import type { Command } from 'commander';
import { contextOf } from '../../context.ts';
import { given } from '../../options.ts';
import { describeCollection } from './describe.ts';
import { type Settings, withSettings } from './settings.ts';

export function addCollectionsCreate(collections: Command): void {
  withSettings(collections.command('create').description('make one').argument('<id>')).action(
    async (id: string, settings: Settings, command: Command) => {
      const { api, out } = await contextOf(command);
      const collection = await api.call('createCollection', { body: { id, ...given(settings) } });
      out.result(collection, () => describeCollection(collection));
    },
  );
}
