import type { Command } from 'commander';
import { contextOf } from '../../context.ts';
import { describeCollection } from './describe.ts';
import { type Options, settingsOf, withSettings } from './settings.ts';

export function addCollectionsCreate(collections: Command): void {
  withSettings(collections.command('create').description('make one').argument('<id>')).action(
    async (id: string, settings: Options, command: Command) => {
      const { api, out } = await contextOf(command);
      const collection = await api.call('createCollection', { body: { id, ...settingsOf(settings) } });
      out.result(collection, () => describeCollection(collection));
    },
  );
}
