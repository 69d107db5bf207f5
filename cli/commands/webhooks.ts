import type { Command } from 'commander';
import {
  DeliveryPage,
  DeliveryView,
  ReplayReceipt,
  WebhookList,
  WebhookView,
  WebhookWithSecret,
} from '../../core/contracts/webhooks.ts';
import { contextOf } from '../context.ts';
import { CliError, EXIT } from '../exit.ts';
import { fields, table } from '../output.ts';

export function addWebhooks(program: Command): void {
  const webhooks = program.command('webhooks').description('endpoints that are told of changes');

  webhooks
    .command('ls', { isDefault: true })
    .description('list endpoints')
    .action(async (_options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const { items } = await api.call('GET', '/webhooks', WebhookList);
      out.result(items, () =>
        table(
          ['ID', 'ENABLED', 'EVENTS', 'URL'],
          items.map((item) => [item.id, item.enabled ? 'yes' : 'no', item.events.join(',') || 'all', item.url]),
        ),
      );
    });

  webhooks
    .command('add')
    .description('add an endpoint; prints its secret, this once')
    .argument('<url>')
    .option('-e, --event <event...>', 'only these events')
    .option('--description <text>')
    .action(async (url: string, options: { event?: string[]; description?: string }, command: Command) => {
      const { api, out } = await contextOf(command);
      const body = {
        url,
        ...(options.event && { events: options.event }),
        ...(options.description && { description: options.description }),
      };
      const webhook = await api.call('POST', '/webhooks', WebhookWithSecret, { body });
      out.result(webhook, () => withSecret(webhook));
    });

  webhooks
    .command('edit')
    .argument('<id>')
    .option('--url <url>')
    .option('-e, --event <event...>')
    .option('--enable')
    .option('--disable')
    .action(async (id: string, options: Edit, command: Command) => {
      const { api, out } = await contextOf(command);
      const body = {
        ...(options.url && { url: options.url }),
        ...(options.event && { events: options.event }),
        ...((options.enable || options.disable) && { enabled: options.enable === true }),
      };
      if (Object.keys(body).length === 0) throw new CliError(EXIT.usage, 'Say what to change.');
      const webhook = await api.call('PATCH', path(id), WebhookView, { body });
      out.result(webhook, () => describe(webhook));
    });

  webhooks
    .command('rm')
    .argument('<id>')
    .action(async (id: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      await api.run('DELETE', path(id));
      out.result({ id, deleted: true }, () => `${id}  deleted`);
    });

  webhooks
    .command('rotate')
    .description('make a new secret; the old one signs beside it for 24 hours')
    .argument('<id>')
    .action(async (id: string, _options: object, command: Command) => {
      const { api, out } = await contextOf(command);
      const webhook = await api.call('POST', `${path(id)}/rotate-secret`, WebhookWithSecret);
      out.result(webhook, () => withSecret(webhook));
    });

  webhooks
    .command('log')
    .description('what was delivered, newest first')
    .argument('<id>')
    .option('-n, --limit <n>', 'how many, at most 100', '20')
    .action(async (id: string, options: { limit: string }, command: Command) => {
      const { api, out } = await contextOf(command);
      const { items } = await api.call('GET', `${path(id)}/deliveries`, DeliveryPage, {
        query: { limit: options.limit },
      });
      out.result(items, () =>
        table(
          ['DELIVERY', 'EVENT', 'STATUS', 'TRIES', 'LAST', 'MS'],
          items.map((item) => {
            const last = item.log.at(-1);
            const answer = last ? String(last.status ?? last.error ?? '') : '';
            return [item.id, item.event, item.status, String(item.attempts), answer, String(last?.latencyMs ?? '')];
          }),
        ),
      );
    });

  webhooks
    .command('replay')
    .description('send one delivery again, or all that failed')
    .argument('<id>')
    .argument('[delivery]')
    .option('--since <time>', 'only changes since then, ISO 8601')
    .action(async (id: string, delivery: string | undefined, options: { since?: string }, command: Command) => {
      const { api, out } = await contextOf(command);
      if (delivery !== undefined) {
        const target = `${path(id)}/deliveries/${encodeURIComponent(delivery)}/replay`;
        const replayed = await api.call('POST', target, DeliveryView);
        return out.result(replayed, () => `${replayed.id}  ${replayed.status}`);
      }
      let replayed = 0;
      let more = true;
      while (more) {
        const body = options.since ? { since: options.since } : {};
        const receipt = await api.call('POST', `${path(id)}/replay`, ReplayReceipt, { body });
        replayed += receipt.replayed;
        more = receipt.more && receipt.replayed > 0;
      }
      out.result({ replayed }, () => `${replayed} sent again`);
    });
}

interface Edit {
  url?: string;
  event?: string[];
  enable?: boolean;
  disable?: boolean;
}

function path(id: string): string {
  return `/webhooks/${encodeURIComponent(id)}`;
}

function describe(webhook: WebhookView): string {
  return fields([
    ['id', webhook.id],
    ['url', webhook.url],
    ['events', webhook.events.join(' ') || 'all'],
    ['enabled', webhook.enabled ? 'yes' : 'no'],
    ['secrets', String(webhook.secrets)],
  ]);
}

function withSecret(webhook: WebhookWithSecret): string {
  return `${describe(webhook)}\nsecret   ${webhook.secret}   (shown this once)`;
}
