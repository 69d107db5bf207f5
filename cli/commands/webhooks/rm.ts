import type { Command } from 'commander';
import { contextOf } from '../../context.ts';

export function addWebhooksRm(webhooks: Command): void {
  webhooks
    .command('rm')
    .description('remove an endpoint')
    .argument('<id>')
    .action(async (id: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      await api.call('deleteWebhook', { id });
      out.result({ id, deleted: true }, () => `${id}  deleted`);
    });
}
