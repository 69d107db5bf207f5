import { type Command, Option } from 'commander';
import { WEBHOOK_EVENTS, type WebhookEvent } from '../../../core/contracts/table/webhooks.ts';
import { contextOf } from '../../context.ts';
import { given } from '../../options.ts';
import { withSecret } from './describe.ts';
import { pinged } from './pinged.ts';

interface Options {
  event?: WebhookEvent[];
  description?: string;
}

export function addWebhooksAdd(webhooks: Command): void {
  webhooks
    .command('add')
    .description('add an endpoint; prints its secret, this once')
    .argument('<url>')
    .addOption(new Option('-e, --event <event...>', 'only these events').choices(WEBHOOK_EVENTS))
    .option('--description <text>')
    .action(async (url: string, { event: events, description }: Options, command: Command) => {
      const { api, out } = await contextOf(command);
      const webhook = await api.call('createWebhook', { body: { url, ...given({ events, description }) } });
      const { state, ping } = await pinged(api, webhook);
      const known = { ...webhook, state, ...(ping && { ping }) };
      out.result(known, () => withSecret(known));
    });
}
