import type { Command } from 'commander';
import { contextOf } from '../../context.ts';
import { CliError, EXIT } from '../../exit.ts';
import { describeCollection } from './describe.ts';
import { type Options, settingsOf, withSettings } from './settings.ts';

export function addCollectionsEdit(collections: Command): void {
  withSettings(collections.command('edit').description('change settings').argument('<id>')).action(
    async (id: string, settings: Options, command: Command) => {
      const body = settingsOf(settings);
      if (Object.keys(body).length === 0) throw new CliError(EXIT.usage, 'Say what to change.');
      const { api, out } = await contextOf(command);
      const collection = await api.call('patchCollection', { id, body });
      out.result(collection, () => describeCollection(collection));
    },
  );
}
