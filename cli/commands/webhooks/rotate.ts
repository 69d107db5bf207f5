import type { Command } from 'commander';
import { contextOf } from '../../context.ts';
import { withSecret } from './describe.ts';

export function addWebhooksRotate(webhooks: Command): void {
  webhooks
    .command('rotate')
    .description('make a new secret; the old one stays valid beside it for 24 hours')
    .argument('<id>')
    .action(async (id: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const webhook = await api.call('rotateWebhookSecret', { id });
      out.result(webhook, () => withSecret(webhook));
    });
}
