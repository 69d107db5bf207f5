import type { Command } from 'commander';
import { CollectionPage, CollectionView } from '../../core/contracts/api.ts';
import { contextOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { fields, table } from '../output.ts';

interface Settings {
  title?: string;
  preset?: string;
  playback?: string;
  deleteOriginal?: boolean;
  retranscodeFromOutput?: boolean;
}

export function addCollections(program: Command): void {
  const collections = program.command('collections').description('list, make, change and delete collections');

  collections
    .command('ls', { isDefault: true })
    .description('list them')
    .action(async (_options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const items: CollectionView[] = [];
      let cursor: string | undefined;
      do {
        const page = await api.call('GET', '/collections', CollectionPage, { query: { cursor } });
        items.push(...page.items);
        cursor = page.next ?? undefined;
      } while (cursor);
      out.result(items, () =>
        table(
          ['ID', 'PRESET', 'PLAYBACK', 'FLAGGED', 'TITLE'],
          items.map((item) => [item.id, item.preset, item.playback, item.scheduleRetranscode ? 'yes' : '', item.title]),
        ),
      );
    });

  collections
    .command('show')
    .argument('<id>')
    .action(async (id: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const collection = await api.call('GET', path(id), CollectionView);
      out.result(collection, () => describe(collection));
    });

  withSettings(collections.command('create').argument('<id>')).action(
    async (id: string, options: Settings, command: Command) => {
      const { api, out } = await contextOf(command);
      const collection = await api.call('POST', '/collections', CollectionView, {
        body: { id, ...settingsOf(options) },
      });
      out.result(collection, () => describe(collection));
    },
  );

  withSettings(collections.command('edit').argument('<id>')).action(
    async (id: string, options: Settings, command: Command) => {
      const { api, out } = await contextOf(command);
      const body = settingsOf(options);
      if (Object.keys(body).length === 0) throw new CliError(EXIT.usage, 'Say what to change.');
      const collection = await api.call('PATCH', path(id), CollectionView, { body });
      out.result(collection, () => describe(collection));
    },
  );

  collections
    .command('rm')
    .description('delete an empty one')
    .argument('<id>')
    .action(async (id: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      await api.run('DELETE', path(id));
      out.result({ id, deleted: true }, () => `${id}  deleted`);
    });
}

function withSettings(command: Command): Command {
  return command
    .option('--title <title>')
    .option('--preset <name>')
    .option('--playback <who>', 'public or private')
    .option('--delete-original', 'delete uploads once they are ready')
    .option('--no-delete-original')
    .option('--retranscode-from-output', 'allow a new encode from an output when the original is gone')
    .option('--no-retranscode-from-output');
}

function settingsOf({ title, preset, playback, deleteOriginal, retranscodeFromOutput }: Settings) {
  const given = { title, preset, playback, deleteOriginal, retranscodeFromOutput };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function path(id: string): string {
  return `/collections/${encodeURIComponent(id)}`;
}

function describe(collection: CollectionView): string {
  return fields([
    ['id', collection.id],
    ['title', collection.title],
    ['preset', collection.preset],
    ['engine', collection.engine],
    ['playback', collection.playback],
    ['delete original', collection.deleteOriginal ? 'yes' : 'no'],
    ['from output', collection.retranscodeFromOutput ? 'yes' : 'no'],
    ['flagged', collection.scheduleRetranscode ? 'yes' : 'no'],
  ]);
}
