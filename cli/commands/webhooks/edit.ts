import { type Command, Option } from 'commander';
import { WEBHOOK_EVENTS, type WebhookEvent } from '../../../core/contracts/table/webhooks.ts';
import { contextOf } from '../../context.ts';
import { CliError, EXIT } from '../../exit.ts';
import { given } from '../../options.ts';
import { describeWebhook } from './describe.ts';
import { pinged } from './pinged.ts';

interface Options {
  url?: string;
  event?: WebhookEvent[];
  enable?: boolean;
  disable?: boolean;
}

export function addWebhooksEdit(webhooks: Command): void {
  webhooks
    .command('edit')
    .description('change URL or events, enable or disable')
    .argument('<id>')
    .option('--url <url>')
    .addOption(new Option('-e, --event <event...>').choices(WEBHOOK_EVENTS))
    .option('--enable')
    .addOption(new Option('--disable').conflicts('enable'))
    .action(async (id: string, { url, event: events, enable, disable }: Options, command: Command) => {
      const enabled = enable || disable ? enable === true : undefined;
      const body = given({ url, events, enabled });
      if (Object.keys(body).length === 0) throw new CliError(EXIT.usage, 'Say what to change.');
      const { api, out } = await contextOf(command);
      const webhook = await pinged(api, await api.call('patchWebhook', { id, body }));
      out.result(webhook, () => describeWebhook(webhook));
    });
}
