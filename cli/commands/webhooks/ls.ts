import type { Command } from 'commander';
import { contextOf } from '../../context.ts';
import { table } from '../../table.ts';

export function addWebhooksLs(webhooks: Command): void {
  webhooks
    .command('ls', { isDefault: true })
    .alias('list')
    .description('list endpoints')
    .action(async (_options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const { items } = await api.call('listWebhooks');
      out.result(items, () =>
        table(
          ['ID', 'CREATOR', 'STATE', 'EVENTS', 'URL'],
          items.map((item) => [
            item.id,
            item.creatorId,
            item.enabled ? item.state : 'disabled',
            item.events.join(',') || 'all',
            item.url,
          ]),
        ),
      );
    });
}
