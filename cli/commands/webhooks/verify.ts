import type { Command } from 'commander';
import { contextOf } from '../../context.ts';
import { describeWebhook } from './describe.ts';
import { pinged } from './pinged.ts';

export function addWebhooksVerify(webhooks: Command): void {
  webhooks
    .command('verify')
    .description('ping an endpoint that has not answered one yet')
    .argument('<id>')
    .action(async (id: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const webhook = await pinged(api, await api.call('verifyWebhook', { id }));
      out.result(webhook, () => describeWebhook(webhook));
    });
}
