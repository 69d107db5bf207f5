import type { Command } from 'commander';
import { itemsOf } from '../../../client/pages.ts';
import type { CollectionView } from '../../../core/contracts/http/collections.ts';
import { contextOf } from '../../context.ts';
import { table } from '../../table.ts';

export function addCollectionsLs(collections: Command): void {
  collections
    .command('ls', { isDefault: true })
    .alias('list')
    .description('list them')
    .action(async (_options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const items: CollectionView[] = [];
      for await (const item of itemsOf(api, 'listCollections')) items.push(item);
      out.result(items, () =>
        table(
          ['ID', 'PRESET', 'PLAYBACK', 'FLAGGED', 'TITLE'],
          items.map((item) => [item.id, item.preset, item.playback, item.scheduleRetranscode ? 'yes' : '', item.title]),
        ),
      );
    });
}
